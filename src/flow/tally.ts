import { endClaims } from "../model/claim.js";
import type { Confirmation } from "../model/origin.js";
import type { Pile, Planned } from "../model/pile.js";
import { countOf, emptyReceipt, type Receipt, type ReceiptCount } from "../model/receipt.js";

type OpenReceipt = { -readonly [Name in keyof Receipt]: Receipt[Name] };

/** Keeps the count of a pile: what is confirmed, each delivery once, and what is still to be written. @internal */
export class Tally {
  /** Entries written with what was acknowledged. */
  outputs = 0;
  readonly #pile: Pile;
  readonly #receipt: OpenReceipt;
  readonly #confirmations: Confirmation[];
  #openCount: number;

  constructor(pile: Pile) {
    this.#pile = pile;
    this.#receipt = emptyReceipt(pile.stream, pile.group);
    this.#receipt.repeated = pile.repeated;
    this.#receipt.notPending = pile.lost.length;
    this.#confirmations = pile.lost.map((held) => ({ held }));
    this.#openCount = pile.planned.length;
    for (const { claims } of pile.lost) endClaims(claims, false);
  }

  /** Not confirmed yet. */
  get open(): readonly Planned[] {
    const { planned } = this.#pile;
    return this.#openCount === planned.length ? planned : planned.filter(({ isOpen }) => isOpen);
  }

  /** Carried out as decided. */
  done(each: Planned): void {
    const { held, settlement, writes } = each;
    if (writes !== undefined) for (const { command } of writes) if (command === "XADD") this.outputs += 1;
    this.#close(each, countOf(settlement), confirmationOf(each));
    endClaims(held.claims, settlement._tag === "Ack");
  }

  /** It was not this consumer's to settle any more. */
  notPending(each: Planned): void {
    this.#close(each, "notPending", { held: each.held });
    endClaims(each.held.claims, false);
  }

  /** So many of these plain acks were pending and are acknowledged; which ones, XACK does not say. */
  acked(planned: readonly Planned[], count: ReceiptCount, pending: number): void {
    for (const each of planned) {
      each.isOpen = false;
      this.#confirmations.push(each);
    }
    this.#openCount -= planned.length;
    this.#receipt[count] += pending;
    this.#receipt.notPending += planned.length - pending;
  }

  /** Returns the credit, once, and says what was done; what is still open nobody waits for any more. */
  close(): Receipt {
    for (const each of this.open) this.notPending(each);
    this.#pile.origin.confirm(this.#confirmations);
    return this.#receipt;
  }

  #close(each: Planned, count: ReceiptCount, confirmation: Confirmation): void {
    each.isOpen = false;
    this.#openCount -= 1;
    this.#receipt[count] += 1;
    this.#confirmations.push(confirmation);
  }
}

/** Of what is over the plan itself will do. */
function confirmationOf(each: Planned): Confirmation {
  const { held, settlement } = each;
  if (settlement._tag === "Ack" || settlement._tag === "DeadLetter") return each;
  const again = settlement.delayMs === undefined ? {} : { retryInMs: settlement.delayMs };
  return settlement._tag === "Release" ? { held, ...again, released: true } : { held, ...again };
}
