import type { Settlement } from "./settlement.js";

/**
 * What became of the deliveries of one batch and stream, confirmed by Redis. Every settled delivery is counted in exactly
 * one of `acked`, `duplicates`, `filtered`, `retried`, `deadLettered`, `released` and `notPending`.
 * @public
 */
export interface Receipt {
  readonly stream: string;
  readonly group: string | undefined;
  /** Acknowledged as processed. */
  readonly acked: number;
  /** Acknowledged as repeats. */
  readonly duplicates: number;
  /** Acknowledged because a predicate dropped them. */
  readonly filtered: number;
  /** Left pending until their retry is due. */
  readonly retried: number;
  /** Moved to the dead-letter stream. */
  readonly deadLettered: number;
  /** Handed back. */
  readonly released: number;
  /** No longer this consumer's when the settlement arrived: claimed by another, or settled by an attempt whose reply was lost. */
  readonly notPending: number;
  /** Settlements ignored because their delivery was settled already; these are in none of the counts above. */
  readonly repeated: number;
}

/** @internal */
export type ReceiptCount = Exclude<keyof Receipt, "stream" | "group">;

/** @internal */
export const emptyReceipt = (stream: string, group: string | undefined): Receipt => ({
  stream,
  group,
  acked: 0,
  duplicates: 0,
  filtered: 0,
  retried: 0,
  deadLettered: 0,
  released: 0,
  notPending: 0,
  repeated: 0,
});

const ackCount = { processed: "acked", duplicate: "duplicates", filtered: "filtered" } as const;

/** Under which name a receipt counts a settlement that was carried out. @internal */
export function countOf(settlement: Settlement): ReceiptCount {
  switch (settlement._tag) {
    case "Ack":
      return ackCount[settlement.reason];
    case "Retry":
      return "retried";
    case "DeadLetter":
      return "deadLettered";
    case "Release":
      return "released";
  }
}
