import { chunksOf } from "fp-ts/lib/ReadonlyArray.js";
import { ReplyError } from "../errors.js";
import { readCapabilities } from "./capabilities.js";
import { decodeList } from "./decode-reply.js";
import type { ConsumerRef, Decision, SettleOutcome, SettleRequest } from "./port.js";
import type { Argument, Call } from "./script.js";

const done: SettleOutcome = { _tag: "done" };
const notPending: SettleOutcome = { _tag: "notPending" };

/** Sends decisions to the settle script, in chunks that stay short on the server. @internal */
export class SettleChunks {
  readonly #call: Call;
  readonly #run: (args: readonly Argument[]) => Promise<unknown>;
  readonly #ref: ConsumerRef;
  readonly #size: number;

  constructor(call: Call, run: (args: readonly Argument[]) => Promise<unknown>, ref: ConsumerRef, size: number) {
    this.#call = call;
    this.#run = run;
    this.#ref = ref;
    this.#size = size;
  }

  async send({ mode, decisions }: SettleRequest): Promise<readonly SettleOutcome[]> {
    const onAck = mode === "ack" ? "keep" : (await readCapabilities(this.#call)).xackdel ? "xackdel" : "delete";
    const head = [this.#ref.group, this.#ref.consumer, onAck];
    const outcomes: SettleOutcome[] = [];
    for (const chunk of chunksOf(this.#size)(decisions)) outcomes.push(...(await this.#chunk(head, chunk)));
    return outcomes;
  }

  async #chunk(head: readonly Argument[], decisions: readonly Decision[]): Promise<readonly SettleOutcome[]> {
    const answers = await this.#answers(head, decisions, argumentsOf);
    const gone = decisions.filter((_, index) => answers[index] === "gone");
    if (gone.length === 0) return answers.map(toOutcome);
    const kept = await this.#answers(head, gone, keptArgumentsOf);
    return answers.map((answer, index) => toOutcome(answer === "gone" ? kept[gone.indexOf(decisions[index]!)] : answer));
  }

  async #answers(
    head: readonly Argument[],
    decisions: readonly Decision[],
    toArguments: (decision: Decision) => readonly Argument[],
  ): Promise<readonly unknown[]> {
    const answers = decodeList("settle.lua", await this.#run([...head, ...decisions.flatMap(toArguments)]));
    if (answers.length === decisions.length) return answers;
    throw new ReplyError("settle.lua", `${answers.length} outcomes of ${decisions.length} decisions`);
  }
}

function argumentsOf(decision: Decision): readonly Argument[] {
  return [decision.verb, decision.id, argumentOf(decision)];
}

function argumentOf(decision: Decision): string {
  if (decision.verb === "retry") return [decision.delayMs, decision.lookIdleMs].filter((ms) => ms !== undefined).join(" ");
  return decision.verb === "dead" ? decision.note : "";
}

/** Trimmed while it was handled: the pairs we were given are all that is left of it. As arguments, which are bytes as they are. */
const keptArgumentsOf = (decision: Decision): readonly Argument[] =>
  decision.verb === "dead" ? ["deadKept", decision.id, decision.note, decision.pairs.length, ...decision.pairs] : [];

function toOutcome(answer: unknown): SettleOutcome {
  if (answer === "done") return done;
  return answer === "notPending" ? notPending : { _tag: "failed", error: new Error(String(answer)) };
}
