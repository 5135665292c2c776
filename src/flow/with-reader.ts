import { AsyncSubject, defer, finalize, from, type Observable } from "rxjs";
import type { StreamReader } from "../redis/port.js";
import type { PlainSession } from "./session.js";

/** Opens a reader, and drops it with everything that reads from it. @internal */
export function withReader<A>(
  session: Pick<PlainSession, "port" | "closing" | "settings">,
  turns: (reader: StreamReader) => Observable<A>,
): Observable<A> {
  return defer(() => {
    const reader = session.port.openReader(session.settings.payload);
    return turns(reader).pipe(finalize(() => drop(session, reader)));
  });
}

/** Teardown is synchronous; who leaves waits for what is still closing. */
function drop({ closing }: Pick<PlainSession, "closing">, reader: StreamReader): void {
  const closed = new AsyncSubject<void>();
  closing.add(closed);
  from(reader.close())
    .pipe(finalize(() => closing.delete(closed)))
    .subscribe(closed);
}
