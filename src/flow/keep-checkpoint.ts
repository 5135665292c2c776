import { catchError, EMPTY, exhaustMap, interval, type Observable } from "rxjs";
import type { GrouplessSession } from "./session.js";
import type { TailPosition } from "./tail-position.js";
import type { TailSettings } from "./tail-settings.js";
import { unlessFatal } from "./unless-fatal.js";

/** Writes the checkpoint again and again, while it moves; a write that fails is made up for by the next. @internal */
export function keepCheckpoint({ ledger, settings }: GrouplessSession<TailSettings>, position: TailPosition): Observable<never> {
  const { stream, checkpoint } = settings;
  if (checkpoint === undefined) return EMPTY;
  const write = position.save().pipe(
    catchError((error: unknown) =>
      unlessFatal(error, { stream, group: "" }, () => {
        ledger.hindered(error);
        return EMPTY;
      }),
    ),
  );
  return interval(checkpoint.everyMs).pipe(exhaustMap(() => write));
}
