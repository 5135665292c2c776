import { finalize, defer, EMPTY, ignoreElements, retry, tap, timer, type Observable } from "rxjs";
import { alongside } from "./alongside.js";
import type { ReadProgress } from "./read-progress.js";
import type { GrouplessSession } from "./session.js";
import { unlessFatal } from "./unless-fatal.js";

/** Runs the reads of a source without a group for ever: what heals is reported and tried again, what does not errors. @internal */
export function healReads<A>({ commands, settings }: GrouplessSession, progress: ReadProgress, reads: Observable<A>): Observable<A> {
  const about = { stream: settings.stream, group: "" };
  const heal = (error: unknown): Observable<unknown> => unlessFatal(error, about, () => timer(progress.failed(error)));
  const work = defer(() => (settings.signal?.aborted ? EMPTY : reads)).pipe(retry({ delay: heal }));
  const interrupted = commands.broken.pipe(
    tap(({ cause }) => progress.interrupted(cause)),
    ignoreElements(),
  );
  return alongside(work, interrupted).pipe(finalize(progress.close));
}
