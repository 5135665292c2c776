import { chunksOf } from "fp-ts/lib/ReadonlyArray.js";
import { readCapabilities } from "./capabilities.js";
import { decodeExceptions } from "./decode-reply.js";
import type { ConsumerRef, Decision, SettleOutcome, SettleRequest } from "./port.js";
import type { Argument, Call } from "./script.js";
import { toChunks } from "./settle-chunk-size.js";
import { boundsOf, toRuns } from "./settle-runs.js";
import { SettleWords, type StepKeys } from "./settle-words.js";

const done: SettleOutcome = { _tag: "done" };
const notPending: SettleOutcome = { _tag: "notPending" };

/**
 * Calls under way at a time, so that neither server nor client waits for the other. Those that write go one by one: one that has to be sent
 * again must not be overtaken.
 */
const callsAtATime = 4;

/** How the settle script is called, and for whom. @internal */
export interface SettleCalls {
  readonly call: Call;
  readonly run: (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;
  readonly ref: ConsumerRef;
  /** The stream, its retry schedule and its dead letters. */
  readonly keys: readonly string[];
  readonly stepKeys: StepKeys;
}

/** Sends decisions to the settle script, in chunks that stay short on the server. @internal */
export class SettleChunks {
  readonly #calls: SettleCalls;

  constructor(calls: SettleCalls) {
    this.#calls = calls;
  }

  async send({ mode, decisions }: SettleRequest): Promise<readonly SettleOutcome[]> {
    const { call, ref } = this.#calls;
    const onAck = mode === "ack" ? "keep" : (await readCapabilities(call)).xackdel ? "xackdel" : "delete";
    const head = [ref.group, ref.consumer, onAck];
    const outcomes = new Array<SettleOutcome>(decisions.length).fill(done);
    const atATime = decisions.some(({ writes }) => writes !== undefined) ? 1 : callsAtATime;
    for (const some of chunksOf(atATime)(toChunks(decisions, mode))) {
      await Promise.all(
        some.map(async ({ from, chunk }) => {
          for (const [place, outcome] of await this.#chunk(head, chunk)) outcomes[from + place] = toOutcome(outcome);
        }),
      );
    }
    return outcomes;
  }

  /** What is not done, by place. */
  async #chunk(head: readonly Argument[], decisions: readonly Decision[]): Promise<ReadonlyMap<number, unknown>> {
    const exceptions = new Map(await this.#ask(head, decisions));
    const gone = [...exceptions.keys()].filter((place) => exceptions.get(place) === "gone");
    if (gone.length === 0) return exceptions;
    for (const place of gone) exceptions.delete(place);
    // trimmed while it was handled: the pairs we were given are all that is left of it
    const again = gone.map((place) => decisions[place]!);
    for (const [place, outcome] of await this.#ask(head, again, "deadKept")) exceptions.set(gone[place]!, outcome);
    return exceptions;
  }

  async #ask(head: readonly Argument[], decisions: readonly Decision[], instead?: "deadKept"): Promise<[place: number, unknown][]> {
    const { keys, stepKeys, run } = this.#calls;
    const runs = toRuns(decisions);
    const call = new SettleWords(keys, [...head, ...boundsOf(decisions)], stepKeys);
    for (const places of runs) {
      const first = decisions[places[0]]!;
      if (first.verb === "ack") call.addAcks(places.map((place) => decisions[place]!));
      else call.addOther(instead ?? first.verb, first);
    }
    const order = runs.flat();
    const exceptions = decodeExceptions("settle.lua", await run(call.keys, call.words), order.length);
    return exceptions.map(([at, outcome]) => [order[at]!, outcome]);
  }
}

function toOutcome(answer: unknown): SettleOutcome {
  return answer === "notPending" ? notPending : { _tag: "failed", error: new Error(String(answer)) };
}
