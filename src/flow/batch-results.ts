import * as E from "fp-ts/lib/Either.js";
import { catchError, defaultIfEmpty, forkJoin, from, map, of, race, takeLast, timer, type Observable, type ObservableInput } from "rxjs";
import { BatchResultError } from "../errors.js";
import { disown } from "../model/disown.js";
import { started, toAwaited } from "./handler-result.js";

/** The results of a batch, one for each; none at all stands for as many successes. @throws BatchResultError for anything else @internal */
export function resultsOf(count: number, answer: unknown): readonly unknown[] {
  if (answer === undefined) return new Array<undefined>(count).fill(undefined);
  if (!Array.isArray(answer)) throw new BatchResultError(count, `with ${describe(answer)}`);
  if (answer.length === count) return answer;
  disownAll(answer);
  throw new BatchResultError(count, `with ${answer.length} results`);
}

/** What a call answered that nobody waits for any more. @internal */
export function disownAll(answer: unknown): void {
  if (Array.isArray(answer)) answer.forEach(disown);
}

const describe = (answer: unknown): string => (answer === null ? "null" : `a value of type ${typeof answer}`);

/** Whether an item's result has to be waited for, or started. @internal */
export const isLate = (result: unknown): boolean => typeof result === "function" || toAwaited(result) !== undefined;

/** Waits for each result, so long at most; those that fail become `Left`s and spare the others. @internal */
export function allResults(results: readonly unknown[], timeoutMs: number | undefined, timeout: () => Error): Observable<unknown[]> {
  const outOfTime = timeoutMs === undefined ? undefined : timer(timeoutMs).pipe(map(() => E.left(timeout())));
  return forkJoin(
    results.map((result) => {
      const settled = settledResult(result);
      return outOfTime === undefined ? settled : race(settled, outOfTime);
    }),
  );
}

function settledResult(result: unknown): Observable<unknown> {
  try {
    const value = started(result);
    const awaited = toAwaited(value);
    if (awaited === undefined) return of(value);
    return from(awaited as ObservableInput<unknown>).pipe(
      takeLast(1),
      defaultIfEmpty(undefined),
      catchError((error: unknown) => of(E.left(error))),
    );
  } catch (error) {
    return of(E.left(error));
  }
}
