import type { ClaimedKey } from "../model/claim.js";
import type { Decision } from "./port.js";
import type { Argument } from "./script.js";

/** The keys behind the names of a request. @internal */
export interface StepKeys {
  readonly ofWrite: (key: string) => string;
  readonly ofClaim: (claim: ClaimedKey) => string;
  readonly order: string;
}

/** The decision's own, or `deadKept`: with the pairs we were given, which are bytes as they are. @internal */
export type Verb = Decision["verb"] | "deadKept";

/** What goes with a decision other than an ack, in the words of the script. */
type Steps = readonly (readonly [name: string, key: string, args: readonly Argument[]])[];

const none: readonly never[] = [];

/** Runs of decisions in the words of the settle script, and the keys that their steps touch. @internal */
export class SettleWords {
  readonly keys: string[];
  readonly words: Argument[];
  readonly #stepKeys: StepKeys;
  readonly #places = new Map<string, number>();

  constructor(keys: readonly string[], head: readonly Argument[], stepKeys: StepKeys) {
    this.keys = [...keys];
    this.words = [...head];
    this.#stepKeys = stepKeys;
  }

  /** @param run - alike in their steps */
  addAcks(run: readonly Decision[]): void {
    const { writes = none, claims = none } = run[0]!;
    this.words.push("ack", run.map(({ id }) => id).join(" "), writes.length + claims.length);
    for (const { command, key, args } of writes) this.words.push(command, this.#placeOf(this.#stepKeys.ofWrite(key)), args.length);
    claims.forEach(({ ttlMs }, index) => this.words.push("mark", this.keys.length + 1 + index, ttlMs));
    if (claims.length > 0) for (const each of run) for (const claim of each.claims!) this.keys.push(this.#stepKeys.ofClaim(claim));
    if (writes.length > 0) for (const each of run) for (const { args } of each.writes!) for (const arg of args) this.words.push(arg);
  }

  addOther(verb: Verb, decision: Decision): void {
    const steps = this.#stepsOf(decision);
    this.words.push(verb, decision.id, steps.length);
    for (const [name, key, args] of steps) this.words.push(name, this.#placeOf(key), args.length);
    this.words.push(argumentOf(decision));
    if (verb === "deadKept" && decision.verb === "dead") {
      this.words.push(decision.pairs.length);
      for (const each of decision.pairs) this.words.push(each); // more of them, maybe, than a call has arguments
    }
    for (const [, , args] of steps) this.words.push(...args);
  }

  #stepsOf({ verb, claims = none, marks = none }: Decision): Steps {
    const { order, ofClaim } = this.#stepKeys;
    const [kind, other] = verb === "retry" ? ["r", "d"] : ["d", "r"];
    const ofMarks: Steps = marks.flatMap((mark): Steps => [["ZADD", order, [0, mark + kind]], ["ZREM", order, [mark + other]]]); // prettier-ignore
    const ofClaims: Steps = claims.map((claim) => ["unclaim", ofClaim(claim), [claim.holder]]);
    return [...ofMarks, ...ofClaims];
  }

  #placeOf(key: string): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.keys.push(key);
    this.#places.set(key, place);
    return place;
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
