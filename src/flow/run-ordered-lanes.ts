import { Subject, type OperatorFunction, type Subscriber } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy } from "../model/held-delivery.js";
import type { Origin } from "../model/origin.js";
import { settle, type Flow, type Settled } from "../model/settlement.js";
import { operate } from "./operate.js";
import { OrderKeeper, type Outlet } from "./order-keeper.js";
import { keyOrFailure, runLanes, type LanePlan } from "./run-lanes.js";
import { OriginWatch } from "./watch-origins.js";

/** The keepers of all streams of all sources that deliver here. */
class Keepers<A> {
  readonly #lanes: number;
  readonly #outlet: Outlet<A>;
  readonly #all = new Map<Origin, Map<string, OrderKeeper<A>>>();

  constructor(lanes: number, outlet: Outlet<A>) {
    this.#lanes = lanes;
    this.#outlet = outlet;
  }

  get isIdle(): boolean {
    return [...this.#all.values()].every((keepers) => [...keepers.values()].every((keeper) => keeper.isIdle));
  }

  for({ origin, stream }: { readonly origin: Origin; readonly stream: string }): OrderKeeper<A> {
    let keepers = this.#all.get(origin);
    if (keepers === undefined) this.#all.set(origin, (keepers = new Map<string, OrderKeeper<A>>()));
    let keeper = keepers.get(stream);
    if (keeper === undefined) {
      const most = Math.max(1, Math.floor(origin.window / this.#lanes));
      keepers.set(stream, (keeper = new OrderKeeper(origin, stream, most, this.#outlet)));
    }
    return keeper;
  }

  of(origin: Origin): Iterable<OrderKeeper<A>> {
    return this.#all.get(origin)?.values() ?? [];
  }
}

/** As `runLanes`, and an entry that is to come again keeps later ones of its key waiting until it is settled for good. @internal */
export function runOrderedLanes<A, R>(plan: Omit<LanePlan<A, R>, "inOrder" | "outcomes">): OperatorFunction<Flow<A>, R | Settled<unknown>> {
  return operate((subscriber: Subscriber<R | Settled<unknown>>) => {
    const admitted = new Subject<Flow<A>>();
    let ended = false;
    const endIfDone = (): void => {
      if (ended && keepers.isIdle) admitted.complete();
    };
    const keepers = new Keepers<A>(plan.lanes, { emit: (item) => admitted.next(item), answered: endIfDone });
    const origins = new OriginWatch((origin) => ({
      settled: (confirmations) => {
        for (const keeper of keepers.of(origin)) keeper.settled(confirmations);
      },
      abandoned: () => {
        for (const keeper of keepers.of(origin)) keeper.abandoned();
        endIfDone();
      },
    }));
    subscriber.add(() => origins.stop());

    const arrive = (item: Flow<A>): void => {
      if (item._tag === "Settled" || item.group === undefined) return admitted.next(item); // without a group nothing comes again
      const key = keyOrFailure(plan.keyOf, item);
      if (typeof key !== "string") return admitted.next(key);
      const held = heldBy(item);
      if (held.state !== "open") return admitted.next(settle.release(item)); // when its source is over, nobody would answer about it
      origins.see(item);
      keepers.for(held).arrive(item, key);
    };
    const keyOf = (delivery: Delivery<A>): string => {
      const held = heldBy(delivery);
      return keepers.for(held).keyOf(held) ?? plan.keyOf(delivery);
    };
    const outcomes: LanePlan<A, R>["outcomes"] = (item, takeBehind) => keepers.for(heldBy(item.delivery)).outcomes(item, takeBehind);
    const lanes = admitted.pipe(runLanes<A, R>({ ...plan, keyOf, inOrder: "key", outcomes }));
    subscriber.add(
      lanes.subscribe({
        next: (item) => subscriber.next(item),
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
    return {
      next: arrive,
      error: (error) => admitted.error(error),
      complete: () => {
        ended = true;
        endIfDone();
      },
    };
  });
}
