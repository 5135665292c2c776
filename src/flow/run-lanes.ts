import { from, mergeMap, tap, type Observable, type ObservableInput, type OperatorFunction, type Subscriber } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { disown } from "../model/disown.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import { laneOf } from "../model/lane.js";
import { deliveryOf, settle, type Flow, type Settled, type SettlementBatch } from "../model/settlement.js";
import { Inlets } from "./inlets.js";
import { KeyQueues } from "./key-queues.js";
import { operate } from "./operate.js";
import { OriginWatch } from "./watch-origins.js";

/** How deliveries are spread over lanes, and what a lane does with them. @internal */
export interface LanePlan<A, R> {
  readonly lanes: number;
  /** May throw: that makes a dead letter. */
  readonly keyOf: (delivery: Delivery<A>) => string;
  readonly project: (lane$: Observable<Delivery<A>>, index: number) => ObservableInput<R>;
  /** `"key"`: a lane holds one delivery of a key at a time; `"lane"`: it gets them as they come. */
  readonly inOrder: "key" | "lane";
  /** What a decision of a lane becomes, with those that wait behind it in its key, which it may take out. */
  readonly outcomes?: (item: Settled<unknown>, takeBehind: TakeBehind<A>) => readonly Settled<unknown>[];
}

/** @internal */
export type TakeBehind<A> = (held: HeldDelivery<unknown>) => readonly Delivery<A>[];

/**
 * Runs a pipeline per lane, all of them subscribed before the first delivery. With `inOrder: "key"` the next delivery of a key is
 * fed when its lane has let go of the one before: emitted it, or settled it.
 * @internal
 */
export function runLanes<A, R>(plan: LanePlan<A, R>): OperatorFunction<Flow<A>, R | Settled<unknown>> {
  const { lanes, keyOf, project, inOrder, outcomes } = plan;
  return operate((subscriber: Subscriber<R | Settled<unknown>>) => {
    const inlets = new Inlets<Delivery<A>>(lanes);
    const queues = new KeyQueues<A>((lane, delivery) => inlets.feed(lane, delivery));
    const takeBehind: TakeBehind<A> = (held) => queues.takeBehind(held);
    let ended = false;

    const endIfDone = (): void => {
      if (ended && queues.waiting === 0) inlets.complete();
    };
    const emit = (item: R): void => {
      if (outcomes === undefined) subscriber.next(item);
      else for (const each of decided(item, (settled) => outcomes(settled, takeBehind))) subscriber.next(each);
      for (const flow of flowsIn(item)) queues.leave(heldBy(deliveryOf(flow)));
      endIfDone();
    };
    const origins = new OriginWatch(() => ({
      lost: (held) => {
        if (queues.leave(held)) subscriber.next(settle.release(held));
        endIfDone();
      },
      settled: (confirmations) => {
        for (const { held } of confirmations) queues.leave(held);
        endIfDone();
      },
    }));
    subscriber.add(() => origins.stop());
    const outlets = from(inlets.lanes).pipe(mergeMap(project), tap(emit)); // what `emit` throws becomes an error of the pipeline
    subscriber.add(outlets.subscribe({ error: (error: unknown) => subscriber.error(error), complete: () => subscriber.complete() }));

    return {
      next: (item) => {
        if (item._tag === "Settled") return subscriber.next(item);
        const key = keyOrFailure(keyOf, item);
        if (typeof key !== "string") return subscriber.next(key);
        if (inOrder === "lane") return inlets.feed(laneOf(key, lanes), item);
        origins.see(item);
        queues.add(key, laneOf(key, lanes), item);
      },
      complete: () => {
        ended = true;
        endIfDone();
      },
    };
  });
}

/** The key of a delivery; a key function that fails makes it a dead letter. @internal */
export function keyOrFailure<A>(keyOf: (delivery: Delivery<A>) => string, delivery: Delivery<A>): string | Settled<A> {
  try {
    const key: unknown = keyOf(delivery);
    if (typeof key === "string") return key;
    disown(key);
    throw new TypeError(`Expected \`key\` to answer a string, got ${key === null ? "null" : typeof key}`);
  } catch (error) {
    return settle.deadLetter(delivery, error);
  }
}

/** What a lane emitted, with each decision in it as it has become. */
function decided<R>(item: R, outcomes: (item: Settled<unknown>) => readonly Settled<unknown>[]): readonly (R | Settled<unknown>)[] {
  const { _tag } = (item ?? {}) as Partial<Flow<unknown> | SettlementBatch>;
  if (_tag === "Settled") return outcomes(item as Settled<unknown>);
  if (_tag !== "SettlementBatch") return [item];
  const { items } = item as SettlementBatch;
  return [{ ...item, items: items.flatMap<Flow<unknown>>((each) => (each._tag === "Settled" ? outcomes(each) : [each])) }];
}

const none: readonly Flow<unknown>[] = [];

/** The deliveries and decisions that a lane lets go of with an item: receipts and the like have none. */
function flowsIn(item: unknown): readonly Flow<unknown>[] {
  const { _tag } = (item ?? {}) as Partial<Flow<unknown> | SettlementBatch>;
  if (_tag === "SettlementBatch") return (item as SettlementBatch).items;
  return _tag === "Delivery" || _tag === "Settled" ? [item as Flow<unknown>] : none;
}
