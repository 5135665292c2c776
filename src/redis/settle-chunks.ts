import { ReplyError } from "../errors.js";
import { readCapabilities } from "./capabilities.js";
import { decodeList } from "./decode-reply.js";
import type { ConsumerRef, Decision, SettleOutcome, SettleRequest } from "./port.js";
import type { Argument, Call } from "./script.js";
import { SettleWords, type StepKeys } from "./settle-words.js";

const done: SettleOutcome = { _tag: "done" };
const notPending: SettleOutcome = { _tag: "notPending" };

/** A script call that so many words make is long enough, however few the decisions are. */
const wordsPerCall = 20_000;

/** How the settle script is called, and for whom. @internal */
export interface SettleCalls {
  readonly call: Call;
  readonly run: (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;
  readonly ref: ConsumerRef;
  /** The stream, its retry schedule and its dead letters. */
  readonly keys: readonly string[];
  readonly stepKeys: StepKeys;
  /** Decisions per call at most. */
  readonly size: number;
}

/** Sends decisions to the settle script, in chunks that stay short on the server. @internal */
export class SettleChunks {
  readonly #calls: SettleCalls;

  constructor(calls: SettleCalls) {
    this.#calls = calls;
  }

  async send({ mode, decisions }: SettleRequest): Promise<readonly SettleOutcome[]> {
    const { call, ref, size } = this.#calls;
    const onAck = mode === "ack" ? "keep" : (await readCapabilities(call)).xackdel ? "xackdel" : "delete";
    const head = [ref.group, ref.consumer, onAck];
    const outcomes: SettleOutcome[] = [];
    for (let next = 0; next < decisions.length;) {
      const words = this.#words(head);
      const from = next;
      while (next < decisions.length && words.count < size && words.words.length < wordsPerCall) {
        const decision = decisions[next++]!;
        words.add(decision.verb, decision, argumentOf(decision));
      }
      outcomes.push(...(await this.#chunk(head, words, decisions.slice(from, next))));
    }
    return outcomes;
  }

  async #chunk(head: readonly Argument[], words: SettleWords, decisions: readonly Decision[]): Promise<readonly SettleOutcome[]> {
    const answers = await this.#answers(words);
    const gone = decisions.filter((_, index) => answers[index] === "gone");
    if (gone.length === 0) return answers.map(toOutcome);
    // trimmed while it was handled: the pairs we were given are all that is left of it
    const again = this.#words(head);
    for (const decision of gone) again.add("deadKept", decision, argumentOf(decision));
    const kept = await this.#answers(again);
    return answers.map((answer, index) => toOutcome(answer === "gone" ? kept[gone.indexOf(decisions[index]!)] : answer));
  }

  #words(head: readonly Argument[]): SettleWords {
    return new SettleWords(this.#calls.keys, head, this.#calls.stepKeys);
  }

  async #answers({ keys, words, count }: SettleWords): Promise<readonly unknown[]> {
    const answers = decodeList("settle.lua", await this.#calls.run(keys, words));
    if (answers.length === count) return answers;
    throw new ReplyError("settle.lua", `${answers.length} outcomes of ${count} decisions`);
  }
}

function argumentOf(decision: Decision): string {
  switch (decision.verb) {
    case "ack":
      return "";
    case "retry":
    case "release": // without a delay: at once
      return [decision.delayMs, decision.lookIdleMs].filter((ms) => ms !== undefined).join(" ");
    case "dead":
      return decision.note;
  }
}

function toOutcome(answer: unknown): SettleOutcome {
  if (answer === "done") return done;
  return answer === "notPending" ? notPending : { _tag: "failed", error: new Error(String(answer)) };
}
