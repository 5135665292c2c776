import { AsyncSubject, defer, finalize, from, type Observable } from "rxjs";
import type { ReaderKind } from "../model/reader-kind.js";
import type { StreamReader } from "../redis/port.js";
import type { DeliverySettings } from "./delivery-settings.js";
import type { PlainSession } from "./session.js";

/** Opens a reader, and drops it with everything that reads from it. @internal */
export function withReader<A>(
  session: Pick<PlainSession<DeliverySettings & { readonly reader: ReaderKind }>, "port" | "closing" | "settings" | "report">,
  turns: (reader: StreamReader) => Observable<A>,
): Observable<A> {
  let isTold = false;
  const fellBack = (reason: string): void => {
    if (!isTold) session.report({ _tag: "readerFellBack", reason });
    isTold = true;
  };
  return defer(() => {
    const { payload, reader: kind } = session.settings;
    const reader = session.port.openReader({ payload, reader: kind, fellBack });
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
