import { of, throwError, timer, map, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FromRangeOptions } from "../../src/flow/range-settings.js";
import type { Delivery } from "../../src/model/delivery.js";
import { heldBy } from "../../src/model/held-delivery.js";
import type { RangeRequest, RawEntry } from "../../src/redis/port.js";
import { fromRange } from "../../src/sources/from-range.js";
import { FakePort } from "../support/fake-port.js";
import { entry, inTurn } from "../support/group-run.js";
import { record, timeline, type Recording } from "../support/virtual-time.js";

/** What a sink does when a write is confirmed. */
const settle = ({ values }: Recording<Delivery<unknown>>): void => {
  const open = values.map(heldBy).filter(({ state }) => state === "open");
  open[0]?.origin.confirm(open.map((held) => ({ held })));
};

function play(
  range: (request: RangeRequest) => Observable<readonly RawEntry[]>,
  options: Partial<FromRangeOptions> = {},
  steps: (recording: Recording<Delivery<unknown>>) => Readonly<Record<number, () => void>> = () => ({}),
): { recording: Recording<Delivery<unknown>>; requests: RangeRequest[]; port: FakePort } {
  const port = new FakePort({ history: { range: (_stream, request) => range(request) } });
  let recording: Recording<Delivery<unknown>> | undefined;
  const later = (): Recording<Delivery<unknown>> => recording!;
  const asked = steps(new Proxy({}, { get: (_, name) => later()[name as keyof Recording<unknown>] }) as Recording<Delivery<unknown>>);
  timeline({
    0: () => (recording = record(fromRange(port.client, { stream: "orders", ...options }))),
    ...asked,
    60_000: () => recording!.stop(),
  });
  return { recording: recording!, requests: port.argsOf("range").map((args) => args[1] as RangeRequest), port };
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("fromRange", () => {
  it("reads the next page after the last id when there is credit, and completes when the last delivery is settled", () => {
    const range = inTurn(
      () => of([entry(1), entry(2)]),
      () => of([entry(3)]),
    );
    const { recording, requests, port } = play(range, { maxInFlight: 2 }, (run) => ({ 100: () => settle(run), 300: () => settle(run) }));
    expect(requests).toEqual([
      { start: "-", end: "+", count: 2, reverse: false },
      { start: "(2-0", end: "+", count: 2, reverse: false },
    ]);
    expect(recording.times).toEqual([0, 0, 100]);
    expect([recording.ended, recording.endedAt]).toEqual(["complete", 300]);
    expect(port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("backwards it goes on before the last id", () => {
    const range = inTurn(
      () => of([entry(9), entry(8)]),
      () => of([]),
    );
    const { requests } = play(range, { start: 5, end: "9-0", reverse: true, pageSize: 2 });
    expect(requests).toEqual([
      { start: "5", end: "9-0", count: 2, reverse: true },
      { start: "5", end: "(8-0", count: 2, reverse: true },
    ]);
  });

  it("asks for no more than the limit, and not again when it is reached", () => {
    const range = inTurn(
      () => of([entry(1), entry(2)]),
      () => of([entry(3)]),
    );
    const { requests, recording } = play(range, { limit: 3, pageSize: 2 }, (run) => ({ 50: () => settle(run) }));
    expect(requests.map(({ count }) => count)).toEqual([2, 1]);
    expect(recording.endedAt).toBe(50);
  });

  it("asks again for a page that failed, and ends with what can't heal", () => {
    const heals = inTurn(
      () => throwError(() => new Error("LOADING")),
      () => of([entry(1)]),
    );
    const { recording } = play(heals, {}, (run) => ({ 100: () => settle(run) }));
    expect([recording.times, recording.ended]).toEqual([[38], "complete"]);
    const refused = play(() => throwError(() => new Error("WRONGTYPE")));
    expect(refused.recording.error).toMatchObject({ _tag: "WrongTypeError" });
  });

  it("waits for the last delivery longer than `drainTimeoutMs`, unless it is told to drain", () => {
    const range = (): Observable<readonly RawEntry[]> => of([entry(1)]);
    const patient = play(range, { drainTimeoutMs: 100 }, (run) => ({ 5_000: () => settle(run) }));
    expect(patient.recording.endedAt).toBe(5_000);
    const stop = new AbortController();
    const drained = play(range, { drainTimeoutMs: 100, signal: stop.signal }, () => ({ 1_000: () => stop.abort() }));
    expect([drained.recording.ended, drained.recording.endedAt]).toEqual(["complete", 1_100]);
  });

  it("unsubscribed it asks no more", () => {
    const slow = (): Observable<readonly RawEntry[]> => timer(50).pipe(map(() => [entry(1)]));
    const { requests, recording } = play(slow, { maxInFlight: 1 }, (run) => ({ 20: () => run.stop() }));
    expect([requests.length, recording.values]).toEqual([1, []]);
  });

  it.each<[Partial<Record<keyof FromRangeOptions, unknown>>, string]>([
    [{ stream: "" }, "`stream`"],
    [{ start: "now" }, "`start`"],
    [{ end: new Date("never") }, "`end`"],
    [{ start: 5, end: 4 }, "`start`"],
    [{ limit: 0 }, "`limit`"],
    [{ pageSize: 0 }, "`pageSize`"],
    [{ pageSize: 10_001 }, "`pageSize`"],
    [{ maxInFlight: 0 }, "`maxInFlight`"],
  ])("%j: refused when it is called", (options, message) => {
    expect(() => fromRange(new FakePort().client, { stream: "orders", ...options } as FromRangeOptions)).toThrow(message);
  });
});
