import { defer, finalize, map, merge, repeat, retry, take, tap, timer, type Observable, type Observer } from "rxjs";
import type { SourceStatus } from "../model/status.js";
import type { Outage, StreamInspection, StreamsPort } from "../redis/port.js";
import { Failures } from "./failures.js";
import { unlessFatal } from "./unless-fatal.js";

/** @internal */
export interface InspectSettings {
  readonly stream: string;
  readonly everyMs: number;
  readonly status: Pick<Observer<SourceStatus>, "next"> | undefined;
}

/**
 * Looks at once, and again `everyMs` after each look has ended, so that no two overlap; on one connection for as long as it holds.
 * A look that fails for a moment is made again, on a new connection, after a growing wait; nothing is emitted meanwhile.
 *
 * @param look - emits once
 * @internal
 */
export function inspectEvery<A>(
  port: StreamsPort,
  { stream, everyMs, status }: InspectSettings,
  look: (inspection: StreamInspection) => Observable<A>,
): Observable<A> {
  return defer(() => {
    let connection: StreamInspection | undefined;
    const failures = new Failures((news) => status?.next(news));
    const drop = (): void => {
      connection?.close();
      connection = undefined;
    };
    const attempt = defer(() => {
      connection ??= port.openInspection();
      return merge(look(connection), connection.broken.pipe(map(connectionLost))).pipe(take(1));
    });
    const again = (error: unknown): Observable<unknown> =>
      unlessFatal(error, { stream, group: "" }, () => {
        drop();
        return timer(failures.add(error));
      });
    return attempt.pipe(
      retry({ delay: again }),
      tap(() => failures.forget()),
      repeat({ delay: () => timer(everyMs) }),
      finalize(drop),
    );
  });
}

/** Commands would wait for the connection to come back, in silence and for as long as it takes. */
function connectionLost({ cause }: Outage): never {
  throw cause;
}
