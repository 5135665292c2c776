import { Subject, tap, type OperatorFunction } from "rxjs";
import { BranchHandle, SharedDelivery } from "../model/branch-delivery.js";
import { combineSettlements } from "../model/combine-settlements.js";
import type { Delivery } from "../model/delivery.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import { lastSeen } from "../model/last-seen.js";
import type { Origin, OriginWatcher } from "../model/origin.js";
import { deliveryOf, settle, settlementOf, type Flow, type Settlement } from "../model/settlement.js";
import { BranchOrigin } from "./branch-origin.js";
import { operate } from "./operate.js";
import { OriginWatch } from "./watch-origins.js";

/** What the branches have of one source: its deliveries that are not settled, and what each branch takes for their source. */
interface Supply<A> {
  readonly origins: readonly BranchOrigin[];
  readonly shown: Map<HeldDelivery<unknown>, SharedDelivery<A>>;
}

/**
 * Shows each delivery to every branch, and emits it with one decision when all have settled it. A delivery that is lost meanwhile
 * is lost in every branch, and is let go at once.
 * @internal
 */
export function runBranches<A>(branches: readonly OperatorFunction<Flow<A>, Flow<unknown>>[]): OperatorFunction<Flow<A>, Flow<A>> {
  return operate((subscriber) => {
    const inputs = branches.map(() => new Subject<Flow<A>>());
    const supplies = new Map<Origin, Supply<A>>();
    let running = branches.length;
    let ended = false;

    const origins = new OriginWatch((origin) => {
      const supply: Supply<A> = { origins: branches.map(() => new BranchOrigin(origin)), shown: new Map() };
      supplies.set(origin, supply);
      return newsFor(supply, (delivery) => subscriber.next(settle.release(delivery)));
    });
    const share = (delivery: Delivery<A>): void => {
      const { origins: branchOrigins, shown } = supplies.get(origins.see(delivery))!;
      const held = heldBy(delivery);
      if (held.state !== "open") return subscriber.next(settle.release(delivery));
      if (shown.has(held)) return; // a second copy of what the branches were given: it is settled once
      const shared = new SharedDelivery(delivery, branchOrigins);
      shown.set(held, shared);
      if (held.seen !== undefined) held.seen = () => whereIn(shared);
      for (const origin of branchOrigins) origin.unsettled += 1;
      inputs.forEach((input, branch) => {
        if (shared.handles[branch]!.state === "open") input.next(shared.inBranch(branch));
      });
    };
    const take = (item: Flow<unknown>, branch: number): void => {
      const { shared, state } = handleOf(item, branch, supplies);
      if (state !== "open") return; // settled before, or lost
      const delivery = shared.delivery as Delivery<A>;
      supplies.get(heldBy(delivery).origin)!.origins[branch]!.unsettled -= 1;
      const settlements = shared.decide(branch, settlementOf(item));
      if (settlements !== undefined) subscriber.next(withDecision(delivery, combineSettlements(settlements)));
    };
    const completed = (branch: number): void => {
      running -= 1;
      if (!ended)
        subscriber.error(new TypeError(`Branch ${branch + 1} of tee completed before its source: it may not use take, first and the like`));
      else if (running === 0) subscriber.complete();
    };

    subscriber.add(() => origins.stop());
    branches.forEach((branch, index) => {
      const settled = branch(inputs[index]!).pipe(tap((item) => take(item, index)));
      subscriber.add(settled.subscribe({ error: (error: unknown) => subscriber.error(error), complete: () => completed(index) }));
    });
    return {
      next: (item) => (item._tag === "Settled" ? subscriber.next(item) : share(item)),
      complete: () => {
        ended = true;
        for (const input of inputs) input.complete();
      },
    };
  });
}

/**
 * What the operators of the branches hear of the source. All that are lost are so in every branch before any branch hears of one: who
 * makes room for the next must not begin with one that is lost as well.
 */
function newsFor<A>({ origins, shown }: Supply<A>, letGo: (delivery: Delivery<A>) => void): OriginWatcher {
  const tellAll = (message: (watcher: OriginWatcher) => void): void => {
    for (const origin of origins) origin.tell(message);
  };
  return {
    starved: () => tellAll((watcher) => watcher.starved?.()),
    abandoned: () => tellAll((watcher) => watcher.abandoned?.()),
    lost: (held) => {
      if (shown.get(held)?.isOpen !== true) return; // decided: it is on its way
      const lost = [...shown.values()].filter(({ isOpen, delivery }) => isOpen && heldBy(delivery).state === "lost");
      for (const { handles } of lost) handles.forEach((handle, branch) => origins[branch]!.mark(handle));
      for (const { delivery, handles } of lost) {
        handles.forEach((handle, branch) => origins[branch]!.lose(handle, held.signal.reason));
        letGo(delivery);
      }
    },
    settled: (confirmations) => {
      const ours = confirmations.flatMap((confirmation) => {
        const shared = shown.get(confirmation.held);
        return shared !== undefined && shown.delete(confirmation.held) ? [{ ...confirmation, shared }] : [];
      });
      if (ours.length === 0) return;
      origins.forEach((origin, branch) => {
        const inBranch = ours.map(({ shared, ...confirmation }) => ({ ...confirmation, held: shared.handles[branch]! }));
        origin.tell((watcher) => watcher.settled?.(inBranch));
      });
    },
  };
}

/** @throws TypeError for what is no delivery that this branch was given */
function handleOf<A>(item: Flow<unknown>, branch: number, supplies: ReadonlyMap<Origin, Supply<A>>): BranchHandle {
  const handle = heldBy(deliveryOf(item));
  if (handle instanceof BranchHandle) {
    const supply = supplies.get(heldBy(handle.shared.delivery).origin);
    if (supply?.origins[branch] === handle.origin) return handle;
  }
  throw new TypeError(`Branch ${branch + 1} of tee emitted a delivery that it was not given`);
}

/** What the branches that have not settled it know of it. */
function whereIn({ handles }: SharedDelivery<unknown>): string {
  const waiting = handles.filter(({ state }) => state === "open");
  return waiting.map((handle) => `branch ${handle.branch + 1} of tee: ${lastSeen(handle) ?? "no operator of this library"}`).join("; ");
}

/** What every branch has done goes on as it is, so that more can be done with it. */
function withDecision<A>(delivery: Delivery<A>, settlement: Settlement): Flow<A> {
  if (settlement._tag === "Ack" && settlement.reason === "processed") return delivery;
  return { _tag: "Settled", delivery, settlement };
}
