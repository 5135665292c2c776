import type { AckMode, Decision } from "./port.js";

/** What a call of the script may weigh: two milliseconds of the server, more where it is busy. */
const weightPerCall = 1_000;
/** A call that so many words make is long enough, however few the decisions are. */
const wordsPerCall = 20_000;

/** What goes in one call. @internal */
export interface Chunk {
  readonly from: number;
  readonly chunk: readonly Decision[];
}

/** Cuts decisions into calls that stay short on the server. @internal */
export function toChunks(decisions: readonly Decision[], mode: AckMode): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let from = 0, to = 0; to < decisions.length; from = to) {
    for (let weight = 0, words = 0; to < decisions.length && weight < weightPerCall && words < wordsPerCall; to += 1) {
      const decision = decisions[to]!;
      weight += mode === "ack" ? weightOf(decision) : mostly;
      words += wordsOf(decision);
    }
    chunks.push({ from, chunk: decisions.slice(from, to) });
  }
  return chunks;
}

/** What is no plain ack, and an ack that deletes, takes several commands. */
const mostly = 10;

/** In microseconds, Redis 7.0: an ack 2, with a mark 4, with an XADD 5; a retry or dead letter 15 to 17. */
function weightOf({ verb, claims, writes }: Decision): number {
  return verb === "ack" ? 1 + (claims?.length ?? 0) + (writes?.length ?? 0) : mostly;
}

function wordsOf({ writes }: Decision): number {
  return writes === undefined ? 1 : writes.reduce((words, { args }) => words + args.length, 1);
}
