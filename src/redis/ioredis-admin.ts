import type { ConsumerInfo, GroupInfo } from "../model/group-info.js";
import type { PendingEntry, PendingSummary } from "../model/pending.js";
import type { CommandConnection } from "./command-connection.js";
import { decodeConsumers, decodeDeletion, decodeGroups, decodePendingPage, decodePendingSummary } from "./decode-admin.js";
import { decodeCount, decodeList } from "./decode-reply.js";
import { makeGroup } from "./make-group.js";
import { orWhenMissing } from "./or-when-missing.js";
import type { ConsumerRef, DeletionStep, GroupRef, GroupStart, PendingRequest, StreamAdmin } from "./port.js";
import { loadAdminScripts, type AdminScripts } from "./script.js";

/** Entries per call of delete-consumer.lua: one to two milliseconds of the server, four where every entry has another idle time. */
const entriesPerCall = 200;
/** Consumers per call of prune-consumers.lua. */
const consumersPerCall = 500;

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
    const keys = this.#connection.keys(ref);
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
