import { catchError, EMPTY, from, merge, tap, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { HeldDelivery } from "../model/held-delivery.js";
import { orderMark } from "../model/order-mark.js";
import type { Origin } from "../model/origin.js";
import { byCount, isPlainAck, noteFor, toPiles, type Pile, type Plan, type Planned } from "../model/pile.js";
import type { Receipt } from "../model/receipt.js";
import type { Flow } from "../model/settlement.js";
import { classifyError } from "../redis/classify-error.js";
import type { AckMode, Alongside, ConsumerRef, Decision, SettleOutcome, StreamCommands, StreamsPort } from "../redis/port.js";
import { pauseHindered } from "./retry-hindered.js";
import { refuseOtherSlot } from "./same-slot.js";
import { Tally } from "./tally.js";
import { attempt, untilConfirmed, type Attempt } from "./until-confirmed.js";

/** @internal */
export interface WriterOptions {
  readonly mode: AckMode;
  readonly deadLetterStream: string | undefined;
  /** What is to be written with the ack of an undecided delivery. @defaultValue nothing */
  readonly plan?: Plan;
}

/** Writes decisions to Redis until they are confirmed: the only write path there is. @internal */
export class SettlementWriter {
  readonly #port: Pick<StreamsPort, "placeOf">;
  readonly #commands: StreamCommands;
  readonly #options: WriterOptions;

  constructor(port: Pick<StreamsPort, "placeOf">, commands: StreamCommands, options: WriterOptions) {
    this.#port = port;
    this.#commands = commands;
    this.#options = options;
  }

  /** A receipt per source and stream, each when everything in it is confirmed. */
  write(items: readonly Flow<unknown>[]): Observable<Receipt> {
    const piles = toPiles(items, this.#options.plan);
    return piles.length === 1 ? this.#writePile(piles[0]!) : merge(...piles.map((pile) => this.#writePile(pile)));
  }

  #writePile(pile: Pile): Observable<Receipt> {
    const { deadLetterStream: other } = this.#options;
    if (other !== undefined)
      refuseOtherSlot(this.#port, pile.stream, other, `Dead letters of "${pile.stream}" can't be written to "${other}"`);
    const tally = new Tally(pile);
    const { stream, group, consumer, origin } = pile;
    if (group === undefined) for (const each of tally.open) if (each.settlement._tag !== "DeadLetter") tally.done(each); // its source keeps account
    const ref = { stream, group: group ?? "", consumer: consumer ?? "" };
    return untilConfirmed({
      origin,
      attempt: () => this.#attempt(ref, tally, origin),
      again: (error, failures) => pauseHindered(ref, origin, error, failures),
      close: () => (this.#options.plan === undefined ? tally.close() : { ...tally.close(), outputs: tally.outputs }),
    });
  }

  #attempt(ref: ConsumerRef, tally: Tally, origin: Origin): Attempt | undefined {
    if (tally.open.length === 0) return undefined;
    return this.#isAckOnly(tally) ? this.#ack(ref, tally) : this.#settle(ref, tally, origin);
  }

  #isAckOnly(tally: Tally): boolean {
    if (this.#options.mode !== "ack") return false;
    for (const each of tally.open) if (!isPlainAck(each)) return false;
    return true;
  }

  /** A plain XACK, because a script costs the server three times as much; one per reason, because it answers a mere count. */
  #ack(ref: ConsumerRef, tally: Tally): Attempt {
    const acks = [...byCount(tally.open)].map(([count, planned]) => {
      const ids = planned.map(({ held }) => held.id);
      return attempt(this.#commands.ack(ref, ids), (pending) => tally.acked(planned, count, pending));
    });
    return acks.length === 1 ? acks[0]! : attempt(merge(...acks.map(({ answer, confirmed }) => from(answer).pipe(tap(confirmed)))));
  }

  #settle(ref: ConsumerRef, tally: Tally, origin: Origin): Attempt {
    const planned = tally.open;
    const { mode, deadLetterStream } = this.#options;
    const decisions = planned.map((each) => toDecision(each, origin));
    const settled = from(this.#commands.settle(ref, { mode, deadLetterStream, decisions })).pipe(
      tap((outcomes) => record(planned, outcomes, tally)),
      catchError((error: unknown) => {
        if (classifyError(error, ref)._tag !== "missingGroup") throw error;
        withoutGroup(planned, tally, origin, error);
        return EMPTY;
      }),
    );
    return attempt(settled);
  }
}

/** A class, because there is one for most entries, which lives until the answer is there: decision 33. */
class AckDecision implements Alongside {
  readonly verb = "ack";
  readonly id: EntryId;
  readonly claims: Alongside["claims"];
  readonly writes: Alongside["writes"];

  constructor(id: EntryId, claims: Alongside["claims"], writes: Alongside["writes"]) {
    this.id = id;
    this.claims = claims;
    this.writes = writes;
  }
}

function toDecision({ held, settlement, writes }: Planned, { claimIdleMs }: Origin): Decision {
  const { id, claims } = held;
  switch (settlement._tag) {
    case "Ack":
      return new AckDecision(id, claims, writes);
    case "Retry":
      return {
        verb: "retry",
        id,
        delayMs: settlement.delayMs,
        lookIdleMs: lookIdle(settlement.delayMs, claimIdleMs),
        claims,
        marks: marksOf(held),
      };
    case "DeadLetter":
      return { verb: "dead", id, note: noteFor(held, settlement.cause), pairs: held.raw, claims };
    case "Release":
      return {
        verb: "release",
        id,
        delayMs: settlement.delayMs,
        lookIdleMs: lookIdle(settlement.delayMs, claimIdleMs),
        claims,
        marks: marksOf(held),
      };
  }
}

/** Keep later entries of its keys waiting. */
const marksOf = ({ id, orderKeys }: HeldDelivery<unknown>): readonly string[] | undefined => orderKeys?.map((key) => orderMark(key, id));

/** How idle an entry is to look, so that a read that claims finds it when it is due. */
const lookIdle = (delayMs: number | undefined, claimIdleMs: number | undefined): number | undefined =>
  delayMs === undefined || claimIdleMs === undefined ? undefined : Math.max(0, claimIdleMs - delayMs);

/** @throws the first reason for which one could not be carried out: it is pending still, and is tried again */
function record(planned: readonly Planned[], outcomes: readonly SettleOutcome[], tally: Tally): void {
  let failure: Error | undefined;
  outcomes.forEach((outcome, index) => {
    if (outcome._tag === "done") tally.done(planned[index]!);
    else if (outcome._tag === "notPending") tally.notPending(planned[index]!);
    else failure ??= outcome.error;
  });
  if (failure !== undefined) throw failure;
}

/**
 * Without the group nothing is pending. Plain acks are content with that; the others wait until the source has made the group
 * again, else what failed, or was to be written, would be forgotten.
 */
function withoutGroup(planned: readonly Planned[], tally: Tally, origin: Origin, error: unknown): void {
  for (const each of planned) if (isPlainAck(each) || origin.over) tally.notPending(each);
  if (tally.open.length > 0) throw new Error(error instanceof Error ? error.message : String(error));
}
