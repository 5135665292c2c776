import { fromPending, type FromPendingOptions, type PendingEntry, type PendingSnapshot, type RedisClient } from "rxjs-redis-streams";
import type { Observable } from "rxjs";
import { describe, expectTypeOf, it } from "vitest";

declare const redis: RedisClient;
declare const options: FromPendingOptions;
const ref = { stream: "orders", group: "shipping" };

describe("fromPending", () => {
  it("emits entries alone when it scans once", () => {
    expectTypeOf(fromPending(redis, ref)).toEqualTypeOf<Observable<PendingEntry>>();
    expectTypeOf(fromPending(redis, { ...ref, everyMs: undefined })).toEqualTypeOf<Observable<PendingEntry>>();
  });

  it("emits snapshots, too, when it scans again, and when that is not known", () => {
    expectTypeOf(fromPending(redis, { ...ref, everyMs: 1_000 })).toEqualTypeOf<Observable<PendingEntry | PendingSnapshot>>();
    expectTypeOf(fromPending(redis, options)).toEqualTypeOf<Observable<PendingEntry | PendingSnapshot>>();
  });
});
