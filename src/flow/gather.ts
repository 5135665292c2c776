import { Subscription, type Observable, type OperatorFunction } from "rxjs";
import type { Flow, SettlementBatch } from "../model/settlement.js";
import { operate } from "./operate.js";

type Ending = { readonly _tag: "complete" } | { readonly _tag: "error"; readonly error: unknown };

/**
 * Hands batches to `write` as they come, and single items together: those that arrive while single items are written go in the
 * next write. The end of the source, an error as well, passes when the last write is confirmed.
 * @internal
 */
export function gather<R>(write: (items: readonly Flow<unknown>[]) => Observable<R>): OperatorFunction<Flow<unknown> | SettlementBatch, R> {
  return operate((subscriber) => {
    let singles: Flow<unknown>[] = [];
    let isWritingSingles = false;
    let underWay = 0;
    let ending: Ending | undefined;
    const writes = new Subscription();
    subscriber.add(writes);

    const endIfDone = (): void => {
      if (underWay > 0 || ending === undefined) return;
      if (ending._tag === "error") subscriber.error(ending.error);
      else subscriber.complete();
    };
    const end = (how: Ending): void => {
      ending = how;
      endIfDone();
    };
    const start = (items: readonly Flow<unknown>[], written?: () => void): void => {
      const receipts = write(items); // throws for what is no delivery, before anything counts as under way
      underWay += 1;
      const complete = (): void => {
        underWay -= 1;
        written?.();
        endIfDone();
      };
      writes.add(
        receipts.subscribe({ next: (result) => subscriber.next(result), error: (error: unknown) => subscriber.error(error), complete }),
      );
    };
    const writeSingles = (): void => {
      if (isWritingSingles || singles.length === 0) return;
      const items = singles;
      singles = [];
      isWritingSingles = true;
      start(items, () => {
        isWritingSingles = false;
        writeSingles();
      });
    };
    return {
      next: (item) => {
        if (item._tag === "SettlementBatch") return start(item.items);
        singles.push(item);
        writeSingles();
      },
      error: (error) => end({ _tag: "error", error }),
      complete: () => end({ _tag: "complete" }),
    };
  });
}
