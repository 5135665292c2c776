import type { AckMode, Decision } from "./port.js";

/** What a call of the script may weigh: two to three milliseconds of the server. In units of about 2.5 microseconds. */
const weightPerCall = 1_000;
/** A call that so many words make is long enough, however few the decisions are. */
const wordsPerCall = 20_000;

/** The decisions from one place on that go in one call; one at least. @internal */
export function nextChunk(decisions: readonly Decision[], from: number, mode: AckMode): readonly Decision[] {
  let [to, weight, words] = [from, 0, 0];
  while (to < decisions.length && weight < weightPerCall && words < wordsPerCall) {
    const decision = decisions[to++]!;
    weight += mode === "ack" ? weightOf(decision) : 10;
    words += wordsOf(decision);
  }
  return from === 0 && to === decisions.length ? decisions : decisions.slice(from, to);
}

/** Measured with Redis 7.0: what is no ack takes several commands, each of them a microsecond and more, like marks and writes. */
function weightOf({ verb, claims, writes }: Decision): number {
  return verb === "ack" ? 1 + (claims?.length ?? 0) + 2 * (writes?.length ?? 0) : 10;
}

function wordsOf({ writes }: Decision): number {
  return writes === undefined ? 1 : writes.reduce((words, { args }) => words + args.length, 1);
}
