import type { Either } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import {
  from,
  isObservable,
  type InteropObservable,
  type Observable,
  type ObservableInput,
  type ReadableStreamLike,
  type Subscription,
} from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy, MappedDelivery } from "../model/held-delivery.js";
import type { Flow, Settled } from "../model/settlement.js";

/**
 * What a handler may give back: a value; an fp-ts `Either` or `TaskEither`, where `Left` is a failure; or any lazy `ObservableInput` -
 * promise, Observable, async iterable, generator - whose last value counts. Arrays, strings, maps and sets are values.
 * @public
 */
export type HandlerResult<B> = B | Either<unknown, B> | TaskEither<unknown, B> | Lazy<B | Either<unknown, B>>;

/** `ObservableInput` without what is a value to a person who writes a handler: arrays and other iterables that are there already. */
type Lazy<B> =
  PromiseLike<B> | Observable<B> | InteropObservable<B> | AsyncIterable<B> | ReadableStreamLike<B> | Generator<B, unknown, undefined>;

/** Thrown for a `Left`, so that all failures travel one road. @internal */
export class LeftFailure {
  readonly left: unknown;
  constructor(left: unknown) {
    this.left = left;
  }
}

/** A function is a task that has not been started: `TaskEither`, `Task`, `IO`. @internal */
export function started(result: unknown): unknown {
  return typeof result === "function" && !isObservable(result) ? (result as () => unknown)() : result;
}

/** A promise or an Observable if the result has to be waited for; else undefined, and the result is the value. @internal */
export function toAwaited(result: unknown): PromiseLike<unknown> | Observable<unknown> | undefined {
  if ((typeof result !== "object" && typeof result !== "function") || result === null) return undefined;
  if (isPromise(result)) return result;
  return isObservable(result) || isLazySequence(result) ? from(result as ObservableInput<unknown>) : undefined;
}

/** @internal */
export const isPromise = (value: object): value is PromiseLike<unknown> =>
  typeof (value as Partial<PromiseLike<unknown>>).then === "function";

/** Async iterables, readable streams, foreign Observables and generators: not run, they would have done nothing. */
function isLazySequence(value: object): boolean {
  if (Symbol.asyncIterator in value || typeof (value as { getReader?: unknown }).getReader === "function") return true;
  if (typeof (value as Record<PropertyKey, unknown>)["@@observable"] === "function") return true;
  return Symbol.iterator in value && typeof (value as Partial<Iterator<unknown>>).next === "function";
}

/** The value behind an `Either`, or the value itself. @throws LeftFailure for a `Left` @internal */
export function unwrap(value: unknown): unknown {
  const either = value as Partial<Record<"_tag" | "left" | "right", unknown>> | null | undefined;
  if (either?._tag === "Left" && "left" in either) throw new LeftFailure(either.left);
  return either?._tag === "Right" && "right" in either ? either.right : value;
}

/** The delivery with the result as its value, or the decision about it that the handler took. @throws LeftFailure for a `Left` @internal */
export function toOutcome<B>(delivery: Delivery<unknown>, result: unknown): Flow<B> {
  const value = unwrap(result);
  return isDecisionAbout(delivery, value) ? value : new MappedDelivery(heldBy(delivery), value as B);
}

/** A handler may decide itself: `return settle.retry(delivery, { delayMs: 500 })`. */
function isDecisionAbout(delivery: Delivery<unknown>, value: unknown): value is Settled<unknown> {
  const settled = value as Partial<Settled<unknown>> | null | undefined;
  return settled?._tag === "Settled" && settled.delivery !== undefined && heldBy(settled.delivery) === heldBy(delivery);
}

/** What a handler failed with, out of its `Left` where it was one. @internal */
export function causeOf(error: unknown): unknown {
  try {
    return error instanceof LeftFailure ? error.left : error;
  } catch {
    return error; // a revoked proxy
  }
}

/** Calls back with the last value of something that is awaited. What comes back stops that; a promise can't be stopped. @internal */
export function hear<A>(
  awaited: ObservableInput<A>,
  succeeded: (last: A) => void,
  failed: (error: unknown) => void,
): Subscription | undefined {
  if (!isPromise(awaited)) return subscribeToLast(from(awaited), succeeded, failed);
  void awaited.then(succeeded, failed);
  return undefined;
}

function subscribeToLast<A>(source: Observable<A>, succeeded: (last: A) => void, failed: (error: unknown) => void): Subscription {
  let last: A | undefined;
  return source.subscribe({ next: (value) => (last = value), error: failed, complete: () => succeeded(last as A) });
}
