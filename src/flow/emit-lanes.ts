import type { Observable, OperatorFunction } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { laneOf } from "../model/lane.js";
import type { Flow } from "../model/settlement.js";
import { Inlets } from "./inlets.js";
import { operate } from "./operate.js";
import { keyOrFailure } from "./run-lanes.js";

/** What has no key - decisions made upstream, deliveries whose key function failed - goes through this one. */
const keyless = 0;

/** Emits the lanes, all of them before the first item, and puts each item into its lane as it comes. @internal */
export function emitLanes<A>(lanes: number, keyOf: (delivery: Delivery<A>) => string): OperatorFunction<Flow<A>, Observable<Flow<A>>> {
  return operate((subscriber) => {
    const inlets = new Inlets<Flow<A>>(lanes);
    for (const lane$ of inlets.lanes) subscriber.next(lane$);
    return {
      next: (item) => {
        if (item._tag === "Settled") return inlets.feed(keyless, item);
        const key = keyOrFailure(keyOf, item);
        if (typeof key === "string") inlets.feed(laneOf(key, lanes), item);
        else inlets.feed(keyless, key);
      },
      error: (error) => {
        inlets.error(error);
        subscriber.error(error);
      },
      complete: () => {
        inlets.complete();
        subscriber.complete();
      },
    };
  });
}
