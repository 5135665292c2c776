import type { ConsumerInfo, GroupInfo } from "../model/group-info.js";
import type { EntryId } from "../model/entry-id.js";
import { failuresKey, orderKey, retryKey } from "../model/keys.js";
import type { PendingEntry, PendingSummary } from "../model/pending.js";
import type { RedriveOutcome } from "../model/redriven.js";
import { retentionWords, type Retention } from "../model/retention.js";
import type { CommandConnection } from "./command-connection.js";
import {
  decodeConsumers,
  decodeCountPage,
  decodeDeletion,
  decodeGroups,
  decodePendingPage,
  decodePendingSummary,
  decodeRedrive,
  decodeTrimStep,
} from "./decode-admin.js";
import { decodeCount, decodeList } from "./decode-reply.js";
import { makeGroup } from "./make-group.js";
import { orWhenMissing } from "./or-when-missing.js";
import type {
  ConsumerRef,
  CountPage,
  DeletionStep,
  GroupRef,
  GroupStart,
  PendingRequest,
  RedriveRequest,
  StreamAdmin,
  TrimRequest,
  TrimStep,
} from "./port.js";
import { loadAdminScripts, type AdminScripts } from "./script.js";

/** Entries per call of delete-consumer.lua: one to two milliseconds of the server, four where every entry has another idle time. */
const entriesPerCall = 200;
/** Consumers per call of prune-consumers.lua. */
const consumersPerCall = 500;

/** Entries per XTRIM, in whole nodes: below a millisecond, two where each entry is a node of its own. */
const entriesPerTrim = 2_000;
/** Entries per call of count-before.lua. */
const entriesPerCount = 1_000;

const nothingToTrim: TrimStep = { removed: 0, keepFrom: undefined, heldBy: undefined, deadGroups: [] };
const nothingPending: PendingSummary = { count: 0, lowest: undefined, highest: undefined, consumers: new Map() };

/** The administration of the port, on a connection of its own. @internal */
export class IoredisAdmin implements StreamAdmin {
  readonly #connection: CommandConnection;
  readonly #scripts: AdminScripts = loadAdminScripts();

  constructor(connection: CommandConnection) {
    this.#connection = connection;
  }

  createGroup(ref: GroupRef, { id, entriesRead }: GroupStart): Promise<boolean> {
    return makeGroup(this.#connection, ref, id, readSoFar(entriesRead));
  }

  setGroupPosition({ stream, group }: GroupRef, { id, entriesRead }: GroupStart): Promise<boolean> {
    const sent = this.#connection.call("xgroup", "setid", this.#connection.toKey(stream), group, id, ...readSoFar(entriesRead));
    return orWhenMissing(sent, () => true, false);
  }

  async destroyGroup(ref: GroupRef, deadLetters: "keep" | "delete"): Promise<boolean> {
    const stream = this.#connection.toKey(ref.stream);
    const keys = [...this.#connection.keys(ref), failuresKey(stream, ref.group), orderKey(stream, ref.group)];
    const all = deadLetters === "delete" ? [...keys, this.#connection.deadLetterKey(ref, undefined)] : keys;
    return decodeCount("destroy-group.lua", await this.#connection.run(this.#scripts.destroyGroup, all, [ref.group])) === 1;
  }

  deleteConsumer({ stream, group, consumer }: ConsumerRef, moveTo: string | undefined): Promise<DeletionStep> {
    const args = [group, consumer, moveTo ?? "", entriesPerCall];
    const ran = this.#connection.run(this.#scripts.deleteConsumer, [this.#connection.toKey(stream)], args);
    return orWhenMissing(ran, decodeDeletion, { _tag: "absent", moved: 0 });
  }

  pruneConsumers({ stream, group }: GroupRef, idleMs: number): Promise<readonly string[]> {
    const args = [group, idleMs, consumersPerCall];
    const ran = this.#connection.run(this.#scripts.pruneConsumers, [this.#connection.toKey(stream)], args);
    return orWhenMissing(ran, (names) => decodeList("prune-consumers.lua", names) as readonly string[], []);
  }

  async trimAcked(stream: string, { deadGroupAfterMs = -1, isDryRun }: TrimRequest): Promise<TrimStep> {
    const key = this.#connection.toKey(stream);
    const groups = (await this.listGroups(stream)).map(({ name }) => name);
    const keys = [key, ...groups.map((group) => retryKey(key, group))];
    const args = [deadGroupAfterMs, entriesPerTrim, isDryRun ? "look" : "trim", ...groups];
    return orWhenMissing(this.#connection.run(this.#scripts.trimAcked, keys, args), decodeTrimStep, nothingToTrim);
  }

  async countBefore(stream: string, id: EntryId, cursor: string): Promise<CountPage> {
    const args = [cursor, id, entriesPerCount];
    return decodeCountPage(await this.#connection.run(this.#scripts.countBefore, [this.#connection.toKey(stream)], args));
  }

  async trim(stream: string, retention: Retention): Promise<number> {
    const xtrim = async (...how: readonly (string | number)[]): Promise<number> =>
      decodeCount("XTRIM", await this.#connection.call("xtrim", this.#connection.toKey(stream), ...how));
    const removed = await xtrim(...retentionWords({ ...retention, exact: false }), "limit", entriesPerTrim);
    return removed > 0 || !retention.exact ? removed : xtrim(...retentionWords(retention));
  }

  async redrive(ref: GroupRef, { deadLetterStream, letters, isDryRun }: RedriveRequest): Promise<readonly RedriveOutcome[]> {
    const [key, retries] = this.#connection.keys(ref);
    const args = letters.flatMap(({ id, origin, firstFailedAt, hops }) => [id, origin.id, firstFailedAt, hops]);
    const all = [key, retries, failuresKey(key, ref.group), this.#connection.deadLetterKey(ref, deadLetterStream)];
    return decodeRedrive(await this.#connection.run(this.#scripts.redrive, all, [ref.group, isDryRun ? "look" : "do", ...args]));
  }

  listGroups(stream: string): Promise<readonly GroupInfo[]> {
    return orWhenMissing(this.#connection.call("xinfo", "groups", this.#connection.toKey(stream)), decodeGroups, []);
  }

  listConsumers({ stream, group }: GroupRef): Promise<readonly ConsumerInfo[]> {
    return orWhenMissing(this.#connection.call("xinfo", "consumers", this.#connection.toKey(stream), group), decodeConsumers, []);
  }

  pendingPage({ stream, group }: GroupRef, { consumer, start, end, count }: PendingRequest): Promise<readonly PendingEntry[]> {
    const whose = consumer === undefined ? [] : [consumer];
    const rows = this.#connection.call("xpending", this.#connection.toKey(stream), group, start, end, count, ...whose);
    return orWhenMissing(rows, decodePendingPage, []);
  }

  pendingSummary({ stream, group }: GroupRef): Promise<PendingSummary> {
    return orWhenMissing(this.#connection.call("xpending", this.#connection.toKey(stream), group), decodePendingSummary, nothingPending);
  }

  close(): void {
    this.#connection.close();
  }
}

const readSoFar = (entriesRead: number | undefined): readonly (string | number)[] =>
  entriesRead === undefined ? [] : ["entriesread", entriesRead];
