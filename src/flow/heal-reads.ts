import { finalize, defer, EMPTY, ignoreElements, retry, tap, throwError, timer, type Observable } from "rxjs";
import { classifyError } from "../redis/classify-error.js";
import { alongside } from "./alongside.js";
import type { ReadProgress } from "./read-progress.js";
import type { GrouplessSession } from "./session.js";

/** Runs the reads of a source without a group for ever: what heals is reported and tried again, what does not errors. @internal */
export function healReads<A>({ commands, settings }: GrouplessSession, progress: ReadProgress, reads: Observable<A>): Observable<A> {
  const heal = (error: unknown): Observable<unknown> => {
    const verdict = classifyError(error, { stream: settings.stream, group: "" });
    return verdict._tag === "fatal" ? throwError(() => verdict.error) : timer(progress.failed(error));
  };
  const work = defer(() => (settings.signal?.aborted ? EMPTY : reads)).pipe(retry({ delay: heal }));
  const interrupted = commands.broken.pipe(
    tap(({ cause }) => progress.interrupted(cause)),
    ignoreElements(),
  );
  return alongside(work, interrupted).pipe(finalize(progress.close));
}
