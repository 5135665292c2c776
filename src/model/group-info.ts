import type { Option } from "fp-ts/lib/Option.js";
import type { EntryId } from "./entry-id.js";

/** A consumer group as Redis describes it. @public */
export interface GroupInfo {
  readonly name: string;
  /** How many consumers it has. */
  readonly consumers: number;
  /** How many entries are delivered and not acknowledged. */
  readonly pending: number;
  /** The greatest id the group was given; `"0-0"` for one that begins at the beginning. */
  readonly lastDeliveredId: EntryId;
  /** How many entries of the stream it was given; none when Redis does not know. */
  readonly entriesRead: Option<number>;
  /**
   * How many entries it has not been given; none when Redis does not know, as after a start in the middle of the stream or a
   * deletion. Servers before Redis 7.4.4 and Valkey 9.0 count too many after a trim past what was read.
   */
  readonly lag: Option<number>;
}

/** A consumer of a group as Redis describes it. @public */
export interface ConsumerInfo {
  readonly name: string;
  /** How many entries it owns. */
  readonly pending: number;
  /** Ms since it last asked for entries, found or not; before Redis 7.2, since it last was given some. */
  readonly idleMs: number;
  /** Ms since it last was given entries; none when it never was, and before Redis 7.2, which has it in `idleMs`. */
  readonly inactiveMs: Option<number>;
}
