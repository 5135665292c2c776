import { defer, finalize, repeat, retry, takeWhile, throwError, timer, type Observable, type ObservableInput } from "rxjs";
import { reconnectDelayMs } from "../flow/backoff.js";
import { text } from "../model/check.js";
import { classifyError, missingGroup } from "../redis/classify-error.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";
import type { GroupRef, StreamAdmin } from "../redis/port.js";

/** What is asked about: a group, or all groups of a stream. @internal */
export interface Asked {
  readonly stream: string;
  readonly group?: string;
}

/**
 * Asks on a connection of its own, emits the answer, and asks anew as long as there is more. What heals is asked again with
 * growing waits, for ever: each question may be asked twice.
 * @internal
 */
export function ask<A>(
  redis: RedisClient,
  { stream, group = "" }: Asked,
  question: (admin: StreamAdmin) => ObservableInput<A>,
  isMore: (answer: A) => boolean = () => false,
): Observable<A> {
  const port = toPort(redis);
  return defer(() => {
    const admin = port.openAdmin();
    return defer(() => question(admin)).pipe(
      retry({ delay: (error: unknown, failures) => again(error, { stream, group }, failures) }),
      repeat(),
      takeWhile(isMore, true),
      finalize(() => admin.close()),
    );
  });
}

/** Checks the options that name a group. @throws RangeError or TypeError that names the option @internal */
export function groupRef({ stream, group }: GroupRef): GroupRef {
  return { stream: text("stream", stream), group: text("group", group) };
}

function again(error: unknown, ref: GroupRef, failures: number): Observable<unknown> {
  const verdict = classifyError(error, ref);
  if (verdict._tag === "transient") return timer(reconnectDelayMs(failures));
  return throwError(() => (verdict._tag === "fatal" ? verdict.error : missingGroup(ref, error)));
}
