import { chunksOf } from "fp-ts/lib/ReadonlyArray.js";
import { ReplyError } from "../errors.js";
import { readCapabilities } from "./capabilities.js";
import { decodeList } from "./decode-reply.js";
import type { ConsumerRef, Decision, SettleOutcome, SettleRequest } from "./port.js";
import type { Call } from "./script.js";

const done: SettleOutcome = { _tag: "done" };
const notPending: SettleOutcome = { _tag: "notPending" };

/** Sends decisions to the settle script, in chunks that stay short on the server. @internal */
export class SettleChunks {
  readonly #call: Call;
  readonly #run: (args: readonly (string | number)[]) => Promise<unknown>;
  readonly #ref: ConsumerRef;
  readonly #size: number;

  constructor(call: Call, run: (args: readonly (string | number)[]) => Promise<unknown>, ref: ConsumerRef, size: number) {
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

  async #chunk(head: readonly (string | number)[], decisions: readonly Decision[]): Promise<readonly SettleOutcome[]> {
    const answers = await this.#answers(
      head,
      decisions.flatMap((decision) => [decision.verb, decision.id, argumentOf(decision)]),
    );
    const gone = decisions.filter((_, index) => answers[index] === "gone");
    if (gone.length === 0) return answers.map(toOutcome);
    // trimmed while it was handled: the pairs we were given are all that is left of it
    const kept = await this.#answers(
      head,
      gone.flatMap((decision) => ["deadKept", decision.id, keptArgument(decision)]),
    );
    return answers.map((answer, index) => toOutcome(answer === "gone" ? kept[gone.indexOf(decisions[index]!)] : answer));
  }

  async #answers(head: readonly (string | number)[], triples: readonly string[]): Promise<readonly unknown[]> {
    const answers = decodeList("settle.lua", await this.#run([...head, ...triples]));
    if (answers.length * 3 === triples.length) return answers;
    throw new ReplyError("settle.lua", `${answers.length} outcomes of ${triples.length / 3} decisions`);
  }
}

function argumentOf(decision: Decision): string {
  if (decision.verb === "retry") return [decision.delayMs, decision.lookIdleMs].filter((ms) => ms !== undefined).join(" ");
  return decision.verb === "dead" ? decision.note : "";
}

const keptArgument = (decision: Decision): string => (decision.verb === "dead" ? JSON.stringify([decision.note, ...decision.pairs]) : "");

function toOutcome(answer: unknown): SettleOutcome {
  if (answer === "done") return done;
  return answer === "notPending" ? notPending : { _tag: "failed", error: new Error(String(answer)) };
}
