import { map, NEVER, of, timer, type Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import type { EntryId } from "../../src/model/entry-id.js";
import { heldBy } from "../../src/model/held-delivery.js";
import type { IdleRequest, RawEntry, StreamPage } from "../../src/redis/port.js";
import { idOf } from "../support/deliveries.js";
import { quietRead, type Answers } from "../support/fake-port.js";
import { entry, GroupRun, inTurn } from "../support/group-run.js";

/** An entry that a read has claimed: it was delivered so often, this time included. */
const claimed = (number: number, deliveryCount = 2): RawEntry => [idOf(number), ["n", String(number)], deliveryCount];
const page = (entries: RawEntry[], count: number): Observable<readonly StreamPage[]> => of([{ stream: "orders", entries, claimed: count }]);
const claims = (run: GroupRun): (number | undefined)[] => run.port.reads.map(({ claimIdleMs }) => claimIdleMs);

describe("a read that claims", () => {
  it("is tried once with each reader, and goes on where the server takes it", () => {
    const run = new GroupRun({ claims: true }, { leaseMs: 5_000, blockMs: 100 }).play(350);
    expect(claims(run)).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  it("is not asked for with recover: false", () => {
    const run = new GroupRun({ claims: true }, { recover: false, blockMs: 100 }).play(250);
    expect(new Set(claims(run))).toEqual(new Set([undefined]));
  });

  it("hands out what it claimed with the delivery count of Redis, and says where it comes from", () => {
    const read = inTurn<Observable<readonly StreamPage[]>>(
      () => page([claimed(1, 3), claimed(2), entry(3)], 2),
      () => NEVER,
    );
    const confirmClaims = (): Observable<{ retries: EntryId[]; stale: EntryId[]; waiting: number }> => of({ retries: [idOf(2)], stale: [idOf(1)], waiting: 0 }); // prettier-ignore
    const run = new GroupRun({ claims: true, read, confirmClaims }).play(50);
    expect(run.deliveries.map(({ id, deliveryCount }) => [id, deliveryCount])).toEqual([["1-0", 3], ["2-0", 2], ["3-0", 1]]); // prettier-ignore
    expect(run.status("recovered").map(({ from, count }) => [from, count])).toEqual([["retry", 1], ["stale", 1]]); // prettier-ignore
  });

  it("keeps back what waits for a retry, and claims no more for ten leases then", () => {
    const read: Answers["read"] = (request) =>
      request.claimIdleMs === undefined ? quietRead(request) : timer(1).pipe(map(() => [{ stream: "orders", entries: [claimed(1), entry(request.count)], claimed: 1 }])); // prettier-ignore
    const run = new GroupRun({ claims: true, read, confirmClaims: () => of({ retries: [], stale: [], waiting: 1 }) }, { leaseMs: 100, blockMs: 50, maxInFlight: 9 }); // prettier-ignore
    run.play(1_500);
    expect(run.ids).toEqual(["9-0", "8-0"]);
    const times = run.port.reads.filter(({ claimIdleMs }) => claimIdleMs !== undefined).map(({ at }) => at);
    expect(times).toHaveLength(2);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1_000);
  });

  it("puts back what is in flight here after all, and hands it out once", () => {
    const read = inTurn<Observable<readonly StreamPage[]>>(() => page([entry(1)], 0), () => page([claimed(1), claimed(2)], 2), () => NEVER); // prettier-ignore
    const run = new GroupRun({ claims: true, read }).play(50);
    expect(run.port.argsOf("confirmClaims").map(([, ids, inFlight]) => [ids, inFlight])).toEqual([[["2-0"], ["1-0"]]]);
    expect(run.ids).toEqual(["1-0", "2-0"]);
  });

  it("is followed by one that does not, nor blocks, so that new entries have their turn", () => {
    let next = 0;
    const read: Answers["read"] = ({ claimIdleMs }) =>
      timer(1).pipe(map(() => (claimIdleMs === undefined ? [] : [{ stream: "orders", entries: [claimed((next += 1))], claimed: 1 }])));
    const run = new GroupRun({ claims: true, read }, { maxInFlight: 4 }).play(50);
    expect(run.port.reads.slice(0, 4).map(({ claimIdleMs, blockMs }) => [claimIdleMs !== undefined, blockMs !== undefined])).toEqual([
      [true, true],
      [false, false],
      [true, true],
      [false, false],
    ]);
  });

  it("is rare while pages come back full: larger answers cost new entries their speed", () => {
    const read: Answers["read"] = ({ count }) => timer(10).pipe(map(() => [{ stream: "orders", entries: Array.from({ length: count }, (_, n) => entry(run.port.reads.length * 100 + n)) }])); // prettier-ignore
    const run: GroupRun = new GroupRun({ claims: true, read }, { maxInFlight: 5 });
    const settleAll = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [n * 10 + 15, () => run.deliveries.forEach((delivery) => { const held = heldBy(delivery); held.origin.confirm([{ held }]); })]), // prettier-ignore
    );
    run.play(620, settleAll);
    expect(claims(run).length).toBeGreaterThan(30);
    expect(claims(run).filter((idle) => idle !== undefined).length).toBeLessThanOrEqual(3);
  });

  it("lets the walks of the PEL be rare", () => {
    const isWalk = ([, request]: readonly unknown[]): boolean => (request as IdleRequest).owner === undefined;
    const walks = (serverClaims: boolean): number => {
      const run = new GroupRun({ claims: serverClaims }, { leaseMs: 400 }).play(4_000);
      return run.port.argsOf("takeIdle").filter(isWalk).length;
    };
    expect(walks(false)).toBeGreaterThan(30);
    expect(walks(true)).toBeLessThan(5);
  });
});
