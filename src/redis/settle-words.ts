import type { ClaimedKey } from "../model/claim.js";
import type { Decision } from "./port.js";
import type { Argument } from "./script.js";

/** The keys behind the names of a request. @internal */
export interface StepKeys {
  readonly ofWrite: (key: string) => string;
  readonly ofClaim: (claim: ClaimedKey) => string;
  readonly order: string;
}

/** Decisions in the words of the settle script, and the keys that their steps touch. @internal */
export class SettleWords {
  readonly keys: string[];
  readonly words: Argument[];
  count = 0;
  readonly #stepKeys: StepKeys;
  readonly #places = new Map<string, number>();

  constructor(keys: readonly string[], head: readonly Argument[], stepKeys: StepKeys) {
    this.keys = [...keys];
    this.words = [...head];
    this.#stepKeys = stepKeys;
  }

  /** @param verb - the decision's own, or `deadKept`: with the pairs we were given, which are bytes as they are */
  add(verb: Decision["verb"] | "deadKept", decision: Decision, argument: string): void {
    this.count += 1;
    if (decision.writes !== undefined || decision.claims !== undefined || decision.marks !== undefined) this.#addSteps(decision);
    this.words.push(verb, decision.id, argument);
    if (verb !== "deadKept" || decision.verb !== "dead") return;
    this.words.push(decision.pairs.length);
    for (const each of decision.pairs) this.words.push(each); // more of them, maybe, than a call has arguments
  }

  #addSteps({ verb, writes = [], claims = [], marks = [] }: Decision): void {
    const before = this.words.push("with", 0);
    const [kind, other] = verb === "retry" ? ["r", "d"] : ["d", "r"];
    for (const mark of marks) {
      this.#addStep("ZADD", this.#stepKeys.order, [0, mark + kind]);
      this.#addStep("ZREM", this.#stepKeys.order, [mark + other]);
    }
    for (const { command, key, args } of writes) this.#addStep(command, this.#stepKeys.ofWrite(key), args);
    for (const claim of claims) {
      const key = this.#stepKeys.ofClaim(claim);
      if (verb === "ack") this.#addStep("mark", key, [claim.ttlMs]);
      else this.#addStep("unclaim", key, [claim.holder]);
    }
    this.words[before - 1] = this.words.length - before;
  }

  #addStep(name: string, key: string, args: readonly Argument[]): void {
    this.words.push(name, this.#placeOf(key), args.length, ...args);
  }

  #placeOf(key: string): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.keys.push(key);
    this.#places.set(key, place);
    return place;
  }
}
