import type { Observable, OperatorFunction } from "rxjs";
import { noteSeen, ordinal } from "../model/last-seen.js";
import type { Flow, SettlementBatch } from "../model/settlement.js";
import { operate } from "./operate.js";

/** How many operators stand before an observable that one of ours made, itself included. */
const place = Symbol("rxjs-redis-streams:place");

interface Placed {
  [place]?: number;
  readonly source?: Placed;
}

/**
 * In development, has deliveries note when they enter and leave an operator, so that the status can tell where one got lost.
 * With NODE_ENV "production" it is the operator itself and costs nothing.
 * @internal
 */
export function tracked<A, B>(name: string, operator: OperatorFunction<A, B>): OperatorFunction<A, B> {
  if (process.env["NODE_ENV"] === "production") return operator;
  return (source) => {
    const position = positionAfter(source);
    const result = noting<B>("leaving", name, position)(operator(noting<A>("entering", name, position)(source)));
    (result as Placed)[place] = position;
    return result;
  };
}

type Item = Flow<unknown> | SettlementBatch | { readonly _tag?: undefined } | null | undefined;

function noting<A>(way: string, name: string, position: number): OperatorFunction<A, A> {
  const where = `${way} ${name} (${ordinal(position)} operator)`;
  const note = (item: Item): void => {
    if (item?._tag === "SettlementBatch") for (const each of item.items) noteSeen(each, where);
    else if (item?._tag === "Delivery" || item?._tag === "Settled") noteSeen(item, where);
  };
  return operate((subscriber) => ({
    next: (value) => {
      note(value as Item);
      subscriber.next(value);
    },
    complete: () => subscriber.complete(),
  }));
}

/** RxJS' own operators link what they make to their source, so they count, too. */
function positionAfter(source: Observable<unknown>): number {
  let position = 1;
  for (let each: Placed | undefined = source as unknown as Placed; each !== undefined; each = each.source) {
    if (each[place] !== undefined) return position + each[place];
    if (each.source !== undefined) position += 1;
  }
  return position;
}
