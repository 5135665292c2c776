import { defer, finalize, repeat, takeWhile, type Observable, type ObservableInput } from "rxjs";
import { retryTransient } from "../flow/retry-transient.js";
import { text } from "../model/check.js";
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
      retryTransient({ stream, group }),
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
