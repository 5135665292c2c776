import { chunksOf } from "fp-ts/lib/ReadonlyArray.js";
import type { Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { ClaimedKey } from "../model/claim.js";
import { dedupePrefix, failuresKey, orderKey } from "../model/keys.js";
import { marksBelow, marksOf, orderMark } from "../model/order-mark.js";
import type { OrderAnswer, OrderQuestion, OrderStep } from "../model/order.js";
import type { Payload } from "../model/payload.js";
import type { CommandConnection } from "./command-connection.js";
import {
  decodeClaims,
  decodeClaimVerdict,
  decodeCount,
  decodeDue,
  decodeEarlier,
  decodeIdle,
  decodeIds,
  decodeLastGeneratedId,
  decodeList,
  decodeNextDue,
  decodeRange,
  decodeRenewal,
} from "./decode-reply.js";
import { makeGroup } from "./make-group.js";
import { orWhenMissing } from "./or-when-missing.js";
import type {
  ClaimAnswer,
  ClaimVerdict,
  ConsumerRef,
  DuePage,
  GroupRef,
  IdlePage,
  IdleRequest,
  LeaveOptions,
  Outage,
  RawEntry,
  Renewal,
  SettleOutcome,
  SettleRequest,
  StreamCommands,
} from "./port.js";
import { loadScripts, type Call, type Script, type Scripts } from "./script.js";
import { SettleChunks } from "./settle-chunks.js";

/** Ids per script call: far below the 8 000 values that Lua's `unpack` takes, and about a millisecond of the server. */
const idsPerCall = 500;
/** Entries that one call hands back at most: each takes the server 12 to 28 microseconds. */
const handedBackPerCall = 100;
/** Rows of the PEL that one call looks at: half a millisecond of the server; three times that where it is busy. */
const rowsPerCall = 250;
/** Entries that one call takes over at most: XCLAIM looks each of them up in the stream, twice, and answers with all they hold. */
const takenPerCall = 50;
/** Ids per XACK: a command, and a call in JavaScript, has a limit far above. */
const idsPerAck = 5_000;

const nothingEarlier: OrderAnswer = { isMarked: false, waitsMs: undefined };

/** The commands of the port, on a connection of their own. @internal */
export class IoredisCommands implements StreamCommands {
  readonly broken: Observable<Outage>;
  readonly #connection: CommandConnection;
  readonly #scripts: Scripts = loadScripts();
  /** For what answers entries. */
  readonly #callForEntries: Call;

  constructor(connection: CommandConnection, payload: Payload = "string") {
    this.#connection = connection;
    this.#callForEntries = connection.callFor(payload);
    this.broken = connection.broken;
  }

  createGroup(ref: GroupRef, startId: string): Promise<boolean> {
    return makeGroup(this.#connection, ref, startId);
  }

  lastGeneratedId(stream: string): Promise<EntryId | undefined> {
    return orWhenMissing(this.#connection.call("xinfo", "stream", this.#connection.toKey(stream)), decodeLastGeneratedId, undefined);
  }

  async ack({ stream, group }: GroupRef, ids: readonly EntryId[]): Promise<number> {
    const key = this.#connection.toKey(stream);
    const acks = chunksOf(idsPerAck)(ids).map((some) => this.#connection.call("xack", key, group, ...some));
    return (await Promise.all(acks)).reduce<number>((total, count) => total + decodeCount("XACK", count), 0);
  }

  settle(ref: ConsumerRef, request: SettleRequest): Promise<readonly SettleOutcome[]> {
    const connection = this.#connection;
    const deadLetters = connection.deadLetterKey(ref, request.deadLetterStream);
    return new SettleChunks({
      call: connection.call,
      run: (all, args) => connection.run(this.#scripts.settle, all, args),
      ref,
      keys: [...connection.keys(ref), deadLetters, failuresKey(connection.toKey(ref.stream), ref.group)],
      stepKeys: { ofWrite: connection.toKey, ofClaim: this.#claimKeys(ref), order: this.#orderKey(ref) },
    }).send(request);
  }

  async claim(ref: GroupRef, claims: readonly ClaimedKey[], how: "take" | "renew", claimMs: number): Promise<readonly ClaimAnswer[]> {
    const toKey = this.#claimKeys(ref);
    const pages = chunksOf(idsPerCall)(claims).map(async (some) => {
      const holders = some.map(({ holder }) => holder).join("\n");
      return decodeClaims(await this.#connection.run(this.#scripts.claim, some.map(toKey), [how, claimMs, holders]), some.length);
    });
    return (await Promise.all(pages)).flat();
  }

  /** The keys of claims; what many of them begin with is made once. */
  #claimKeys({ stream, group }: GroupRef): (claim: ClaimedKey) => string {
    const { toKey } = this.#connection;
    let latest: ClaimedKey["scope"] | undefined;
    let prefix = "";
    return ({ scope, name }) => {
      if (scope !== latest)
        prefix = dedupePrefix(scope._tag === "shared" ? { ...scope, name: toKey(scope.name) } : scope, toKey(stream), group);
      latest = scope;
      return prefix + name;
    };
  }

  async takeDue(ref: ConsumerRef, max: number): Promise<DuePage> {
    return decodeDue(await this.#take(ref, [ref.group, ref.consumer, Math.min(max, takenPerCall), "due"]));
  }

  async nextDue(streams: readonly string[], group: string): Promise<readonly (number | undefined)[]> {
    const schedules = streams.map((stream) => this.#connection.keys({ stream, group })[1]);
    const calls = chunksOf(idsPerCall)(schedules).map((some) => this.#connection.run(this.#scripts.nextDue, some, []));
    return (await Promise.all(calls)).flatMap(decodeNextDue);
  }

  async confirmClaims(ref: ConsumerRef, ids: readonly EntryId[], inFlight: readonly EntryId[]): Promise<ClaimVerdict> {
    const args = [ref.group, ref.consumer, ids.length, ...ids, ...inFlight];
    return decodeClaimVerdict(await this.#connection.run(this.#scripts.confirm, this.#connection.keys(ref), args));
  }

  async takeIdle(ref: ConsumerRef, { max, minIdleMs, owner = "", cursor, leaveAlone = [], counts = true }: IdleRequest): Promise<IdlePage> {
    const args = [
      ref.group,
      ref.consumer,
      Math.min(max, takenPerCall),
      "idle",
      minIdleMs,
      owner,
      cursor,
      rowsPerCall,
      counts ? "count" : "same",
      ...leaveAlone,
    ];
    return decodeIdle(await this.#take(ref, args));
  }

  #take(ref: ConsumerRef, args: readonly (string | number)[]): Promise<unknown> {
    return this.#connection.run(this.#scripts.take, this.#connection.keys(ref), args, this.#callForEntries);
  }

  async renew(ref: ConsumerRef, ids: readonly EntryId[]): Promise<Renewal> {
    const pages = (await this.#perChunk(this.#scripts.renew, this.#connection.keys(ref).slice(0, 1), ref, ids)).map(decodeRenewal);
    return {
      lost: pages.flatMap((page) => page.lost),
      deleted: pages.flatMap((page) => page.deleted),
      absent: pages.flatMap((page) => page.absent),
    };
  }

  async adopt(ref: ConsumerRef, ids: readonly EntryId[]): Promise<readonly EntryId[]> {
    return (await this.#perChunk(this.#scripts.adopt, this.#connection.keys(ref), ref, ids)).flatMap(decodeIds);
  }

  async scheduled(ref: GroupRef): Promise<readonly EntryId[]> {
    const [, retries] = this.#connection.keys(ref);
    return decodeIds(await this.#connection.call("zrange", retries, 0, -1));
  }

  /** Where nothing waits, one EXISTS says so for all of them. */
  async earlier(ref: GroupRef, questions: readonly OrderQuestion[]): Promise<readonly OrderAnswer[]> {
    const order = this.#orderKey(ref);
    if (decodeCount("EXISTS", await this.#connection.call("exists", order)) === 0) return questions.map(() => nothingEarlier);
    const ask = async (some: readonly OrderQuestion[]): Promise<readonly OrderAnswer[]> => {
      const args = some.flatMap(({ key, id, above }) => {
        const { min, max } = marksBelow(key, id, above);
        return [orderMark(key, id), min, max];
      });
      return decodeEarlier(await this.#connection.run(this.#scripts.earlier, [...this.#connection.keys(ref), order], [ref.group, ...args]));
    };
    return (await Promise.all(chunksOf(rowsPerCall)(questions).map(ask))).flat();
  }

  async forward(ref: GroupRef, steps: readonly OrderStep[]): Promise<number> {
    const args = steps.flatMap(({ key, settled, count }) => {
      const { min, max } = marksOf(key);
      return [min, max, count, settled.length, ...settled.map((id) => orderMark(key, id))];
    });
    return decodeCount(
      "forward.lua",
      await this.#connection.run(this.#scripts.forward, [...this.#connection.keys(ref), this.#orderKey(ref)], [ref.group, ...args]),
    );
  }

  #orderKey({ stream, group }: GroupRef): string {
    return orderKey(this.#connection.toKey(stream), group);
  }

  async leave(ref: ConsumerRef, { remove, only }: LeaveOptions): Promise<number> {
    if (only?.length === 0) return 0;
    let released = 0;
    for (let cursor = "-"; cursor !== "";) {
      const args = [ref.group, ref.consumer, cursor, handedBackPerCall, remove ? "remove" : "stay", ...(only ?? [])];
      const [count, next] = decodeList("leave.lua", await this.#connection.run(this.#scripts.leave, this.#connection.keys(ref), args));
      released += decodeCount("leave.lua", count);
      cursor = String(next);
    }
    return released;
  }

  #perChunk(script: Script, keys: readonly string[], ref: ConsumerRef, ids: readonly EntryId[]): Promise<unknown[]> {
    return Promise.all(chunksOf(idsPerCall)(ids).map((some) => this.#connection.run(script, keys, [ref.group, ref.consumer, ...some])));
  }

  async deadLetters(
    ref: GroupRef,
    request: { stream: string | undefined; after: EntryId | undefined; count: number },
  ): Promise<readonly RawEntry[]> {
    const key = this.#connection.deadLetterKey(ref, request.stream);
    const start = request.after === undefined ? "-" : `(${request.after}`;
    return decodeRange(await this.#callForEntries("xrange", key, start, "+", "count", request.count));
  }

  close(): void {
    this.#connection.close();
  }
}
