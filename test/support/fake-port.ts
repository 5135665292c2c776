import { asyncScheduler, map, NEVER, of, timer, type ObservableInput } from "rxjs";
import type { EntryId } from "../../src/model/entry-id.js";
import type { RedisClient } from "../../src/redis/client.js";
import type {
  ClaimAnswer,
  DuePage,
  IdlePage,
  LeaveOptions,
  RawEntry,
  ReadRequest,
  SettleOutcome,
  SettleRequest,
  StreamAdmin,
  StreamAppends,
  StreamCommands,
  StreamHistory,
  StreamInspection,
  StreamPage,
  StreamPermits,
  StreamReader,
  StreamsPort,
  TailRequest,
} from "../../src/redis/port.js";

/** What a test's Redis answers, where it is not what a quiet one would. */
export interface Answers extends Partial<Omit<StreamCommands, "close">> {
  readonly read?: StreamReader["read"];
  readonly tail?: StreamReader["tail"];
  readonly closeReader?: StreamReader["close"];
  readonly placeOf?: StreamsPort["placeOf"];
  /** Whether the server claims in a read that asks for it. */
  readonly claims?: boolean;
  readonly appends?: Partial<Omit<StreamAppends, "close">>;
  readonly admin?: Partial<Omit<StreamAdmin, "close">>;
  readonly inspection?: Partial<InspectionAnswers>;
  readonly history?: Partial<HistoryAnswers>;
  readonly takePermits?: StreamPermits["take"];
}

type AdminAnswers = Omit<StreamAdmin, "close">;
type HistoryAnswers = Omit<StreamHistory, "close">;
type InspectionAnswers = Omit<StreamInspection, "close">;

/** A command the library sent, and when. */
export interface Sent {
  readonly at: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

const nothingDue: DuePage = { entries: [], deleted: [], nextDueMs: undefined };
const nothingIdle: IdlePage = { entries: [], deleted: [], cursor: undefined, mine: [] };

/** A scripted port: answers are Observables, so all of its time is virtual; keeps account of what was asked, opened and closed. */
export class FakePort implements StreamsPort {
  readonly sent: Sent[] = [];
  /** Connections open now. */
  readonly open = { commands: 0, readers: 0 };
  readonly #answers: Required<Answers>;
  readonly #appendAnswers: Omit<StreamAppends, "close">;
  readonly #adminAnswers: AdminAnswers;
  readonly #inspectionAnswers: InspectionAnswers;
  readonly #historyAnswers: HistoryAnswers;

  constructor(answers: Answers = {}) {
    this.#answers = { ...quiet, ...answers };
    this.#appendAnswers = { ...quietAppends, ...answers.appends };
    this.#adminAnswers = { ...quietAdmin, ...answers.admin };
    this.#inspectionAnswers = { ...quietInspection, ...answers.inspection };
    this.#historyAnswers = { ...quietHistory, ...answers.history };
  }

  /** As the library's functions take it: `toPort` accepts a port as it is. */
  get client(): RedisClient {
    return this as unknown as RedisClient;
  }

  /** The arguments of each command of a name, in order. */
  argsOf(name: string): (readonly unknown[])[] {
    return this.sent.filter((each) => each.name === name).map(({ args }) => args);
  }

  timesOf(name: string): number[] {
    return this.sent.filter((each) => each.name === name).map(({ at }) => at);
  }

  get reads(): (ReadRequest & { readonly at: number })[] {
    return this.sent.filter(({ name }) => name === "read").map(({ at, args }) => ({ at, ...(args[0] as ReadRequest) }));
  }

  get leaves(): LeaveOptions[] {
    return this.argsOf("leave").map((args) => args[1] as LeaveOptions);
  }

  get settles(): SettleRequest[] {
    return this.argsOf("settle").map((args) => args[1] as SettleRequest);
  }

  openCommands(): StreamCommands {
    this.open.commands += 1;
    const { createGroup, lastGeneratedId, ack, settle, takeDue, nextDue, confirmClaims, takeIdle, renew } = this.#answers;
    const { adopt, claim, scheduled, earlier, forward, leave, deadLetters, broken } = this.#answers;
    return {
      createGroup: this.#noting("createGroup", createGroup),
      lastGeneratedId: this.#noting("lastGeneratedId", lastGeneratedId),
      ack: this.#noting("ack", ack),
      settle: this.#noting("settle", settle),
      takeDue: this.#noting("takeDue", takeDue),
      nextDue: this.#noting("nextDue", nextDue),
      confirmClaims: this.#noting("confirmClaims", confirmClaims),
      takeIdle: this.#noting("takeIdle", takeIdle),
      renew: this.#noting("renew", renew),
      adopt: this.#noting("adopt", adopt),
      claim: this.#noting("claim", claim),
      scheduled: this.#noting("scheduled", scheduled),
      earlier: this.#noting("earlier", earlier),
      forward: this.#noting("forward", forward),
      leave: this.#noting("leave", leave),
      deadLetters: this.#noting("deadLetters", deadLetters),
      broken,
      close: () => (this.open.commands -= 1),
    };
  }

  openReader(): StreamReader {
    this.open.readers += 1;
    const close = this.#noting("closeReader", this.#answers.closeReader);
    return {
      claims: this.#answers.claims,
      read: this.#noting("read", this.#answers.read),
      tail: this.#noting("tail", this.#answers.tail),
      close: () => {
        this.open.readers -= 1;
        return close();
      },
    };
  }

  /** Counted among the connections for commands. */
  openAppends(): StreamAppends {
    this.open.commands += 1;
    const { append, broken } = this.#appendAnswers;
    return { append: this.#noting("append", append), broken, close: () => (this.open.commands -= 1) };
  }

  /** Counted among the connections for commands. */
  openAdmin(): StreamAdmin {
    this.open.commands += 1;
    const { createGroup, setGroupPosition, destroyGroup, deleteConsumer, pruneConsumers } = this.#adminAnswers;
    const { trimAcked, countBefore, trim, redrive } = this.#adminAnswers;
    const { listGroups, listConsumers, pendingPage, pendingSummary } = this.#adminAnswers;
    return {
      createGroup: this.#noting("createGroup", createGroup),
      setGroupPosition: this.#noting("setGroupPosition", setGroupPosition),
      destroyGroup: this.#noting("destroyGroup", destroyGroup),
      deleteConsumer: this.#noting("deleteConsumer", deleteConsumer),
      pruneConsumers: this.#noting("pruneConsumers", pruneConsumers),
      trimAcked: this.#noting("trimAcked", trimAcked),
      countBefore: this.#noting("countBefore", countBefore),
      trim: this.#noting("trim", trim),
      redrive: this.#noting("redrive", redrive),
      listGroups: this.#noting("listGroups", listGroups),
      listConsumers: this.#noting("listConsumers", listConsumers),
      pendingPage: this.#noting("pendingPage", pendingPage),
      pendingSummary: this.#noting("pendingSummary", pendingSummary),
      close: () => (this.open.commands -= 1),
    };
  }

  /** Counted among the connections for commands. */
  openInspection(): StreamInspection {
    this.open.commands += 1;
    const { overview, details, countAfter, broken } = this.#inspectionAnswers;
    return {
      overview: this.#noting("overview", overview),
      details: this.#noting("details", details),
      countAfter: this.#noting("countAfter", countAfter),
      broken,
      close: () => (this.open.commands -= 1),
    };
  }

  /** Counted among the connections for commands. */
  openHistory(): StreamHistory {
    this.open.commands += 1;
    const { range, edges, checkpoint, moveCheckpoint, broken } = this.#historyAnswers;
    return {
      range: this.#noting("range", range),
      edges: this.#noting("edges", edges),
      checkpoint: this.#noting("checkpoint", checkpoint),
      moveCheckpoint: this.#noting("moveCheckpoint", moveCheckpoint),
      broken,
      close: () => (this.open.commands -= 1),
    };
  }

  /** Counted among the connections for commands. */
  openPermits(): StreamPermits {
    this.open.commands += 1;
    return {
      take: this.#noting("takePermits", this.#answers.takePermits),
      broken: this.#answers.broken,
      close: () => (this.open.commands -= 1),
    };
  }

  readonly placeOf = (stream: string): number => this.#answers.placeOf(stream);

  #noting<A extends unknown[], R>(name: string, answer: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      this.sent.push({ at: asyncScheduler.now(), name, args });
      return answer(...args);
    };
  }
}

/** A read that finds nothing takes as long as it may block. */
export const quietRead = ({ blockMs }: ReadRequest): ObservableInput<readonly StreamPage[]> =>
  blockMs === undefined ? of([]) : timer(blockMs).pipe(map(() => []));

/** The same without a group. */
export const quietTail = ({ blockMs }: TailRequest): ObservableInput<readonly RawEntry[]> => timer(blockMs).pipe(map(() => []));

const done: SettleOutcome = { _tag: "done" };
const taken: ClaimAnswer = { _tag: "taken" };

const quiet: Required<Answers> = {
  createGroup: () => of(false),
  lastGeneratedId: () => of(undefined),
  ack: (_ref, ids) => of(ids.length),
  settle: (_ref, { decisions }) => of(decisions.map(() => done)),
  takeDue: () => of(nothingDue),
  nextDue: (streams) => of(streams.map(() => undefined)),
  confirmClaims: (_ref, ids) => of({ retries: [], stale: ids, waiting: 0 }),
  takeIdle: () => of(nothingIdle),
  renew: () => of({ lost: [], deleted: [], absent: [] }),
  adopt: (_ref, ids) => of(ids),
  claim: (_ref, claims) => of(claims.map(() => taken)),
  scheduled: () => of([]),
  earlier: (_ref, questions) => of(questions.map(() => ({ isMarked: false, waitsMs: undefined }))),
  forward: () => of(0),
  leave: () => of(0),
  deadLetters: () => of([]),
  broken: NEVER,
  read: quietRead,
  tail: quietTail,
  closeReader: () => of(undefined),
  placeOf: () => 0,
  claims: false,
  takePermits: (_ref, { wanted }) => of({ granted: wanted, waitMs: 0 }),
  appends: {},
  admin: {},
  inspection: {},
  history: {},
};

/** A server that takes entries. */
const quietAppends: Omit<StreamAppends, "close"> = {
  append: (_stream, { entries }) => of(entries.map((_, index) => `1-${index}` as EntryId)),
  broken: NEVER,
};

/** A server without groups. */
const quietAdmin: AdminAnswers = {
  createGroup: () => of(true),
  setGroupPosition: () => of(false),
  destroyGroup: () => of(false),
  deleteConsumer: () => of({ _tag: "absent", moved: 0 }),
  pruneConsumers: () => of([]),
  trimAcked: () => of({ removed: 0, keepFrom: undefined, heldBy: undefined, deadGroups: [] }),
  countBefore: () => of({ count: 0, cursor: undefined }),
  trim: () => of(0),
  redrive: (_ref, { letters }) => of(letters.map(({ origin }) => ({ what: "again" as const, id: origin.id }))),
  listGroups: () => of([]),
  listConsumers: () => of([]),
  pendingPage: () => of([]),
  pendingSummary: () => of({ count: 0, lowest: undefined, highest: undefined, consumers: new Map() }),
};

/** A server without the stream. */
const quietInspection: InspectionAnswers = {
  overview: () => of({ at: asyncScheduler.now(), stream: undefined, groups: [] }),
  details: () => of({ consumers: [], pending: [], retriesWaiting: 0, nextRetryAt: undefined, deadLetters: 0 }),
  countAfter: () => of({ count: 0, isComplete: true }),
  broken: NEVER,
};

/** A server without the stream. */
const quietHistory: HistoryAnswers = {
  range: () => of([]),
  edges: () => of(undefined),
  checkpoint: () => of(undefined),
  moveCheckpoint: (_ref, id) => of(id),
  broken: NEVER,
};
