import type { Settlement } from "./settlement.js";

const rank = { Ack: 0, Release: 1, Retry: 2, DeadLetter: 3 } as const;

/**
 * One decision out of several about the same entry. A dead letter outweighs a retry: it keeps the entry, and can be taken back
 * as a whole. A retry outweighs a release, and that an ack; what comes again does so after the longest delay that any of them asks
 * for. Acks are `processed` as soon as one is. Of equals the first counts.
 * @internal
 */
export function combineSettlements(all: readonly [Settlement, ...Settlement[]]): Settlement {
  const heaviest = all.reduce((one, other) => (outweighs(other, one) ? other : one));
  if (heaviest._tag !== "Retry" && heaviest._tag !== "Release") return heaviest;
  const delays = all.map((each) => ("delayMs" in each ? each.delayMs : undefined)).filter((delayMs) => delayMs !== undefined);
  return delays.length === 0 ? heaviest : { ...heaviest, delayMs: Math.max(...delays) };
}

function outweighs(one: Settlement, other: Settlement): boolean {
  if (one._tag === "Retry" && other._tag === "Retry") return one.delayMs > other.delayMs;
  if (one._tag === "Ack" && other._tag === "Ack") return one.reason === "processed" && other.reason !== "processed";
  return rank[one._tag] > rank[other._tag];
}
