import { encodeNote, toCause } from "./dead-letter.js";
import type { Delivery } from "./delivery.js";
import { heldBy, type HeldDelivery } from "./held-delivery.js";
import type { Origin } from "./origin.js";
import { countOf, type ReceiptCount } from "./receipt.js";
import { deliveryOf, settlementOf, type Flow, type Settlement } from "./settlement.js";
import type { Write } from "./write.js";

/** What a delivery that reaches the sink open means to it. @internal */
export type Plan = (delivery: Delivery<unknown>) => { readonly settlement: Settlement; readonly writes?: readonly Write[] | undefined };

/** A decision together with the delivery it is about. A class, because it lives until the answer is there: decision 33. @internal */
export class Planned {
  /** It is not confirmed yet. */
  isOpen = true;
  readonly held: HeldDelivery<unknown>;
  readonly settlement: Settlement;
  /** What is written together with the ack. */
  readonly writes: readonly Write[] | undefined;

  constructor(held: HeldDelivery<unknown>, settlement: Settlement, writes?: readonly Write[]) {
    this.held = held;
    this.settlement = settlement;
    this.writes = writes;
  }
}

/** The decisions of one batch that belong to one source and stream: they are written together. @internal */
export interface Pile {
  readonly origin: Origin;
  readonly stream: string;
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly planned: Planned[];
  /** No longer ours when the decision arrived; nothing is written for them. */
  readonly lost: HeldDelivery<unknown>[];
  /** Settlements of deliveries that were settled already. */
  repeated: number;
}

/**
 * Sorts a batch into piles and marks its open deliveries as settling: from here on the first decision about each counts.
 * @internal
 */
export function toPiles(items: readonly Flow<unknown>[], plan?: Plan): readonly Pile[] {
  const piles: Pile[] = [];
  let pile: Pile | undefined;
  for (const item of items) {
    const held = heldBy(deliveryOf(item));
    if (!fits(pile, held)) pile = piles.find((candidate) => fits(candidate, held));
    if (pile === undefined) piles.push((pile = emptyPile(held)));
    put(pile, held, item, plan);
  }
  return piles;
}

const fits = (pile: Pile | undefined, held: HeldDelivery<unknown>): boolean => pile?.origin === held.origin && pile.stream === held.stream;

function put(pile: Pile, held: HeldDelivery<unknown>, item: Flow<unknown>, plan: Plan | undefined): void {
  switch (held.state) {
    case "open":
      pile.planned.push(toPlanned(held, item, plan));
      held.state = "settling";
      break;
    case "lost":
      held.state = "settled";
      pile.lost.push(held);
      break;
    case "settling":
    case "settled":
      pile.repeated += 1;
  }
}

function toPlanned(held: HeldDelivery<unknown>, item: Flow<unknown>, plan: Plan | undefined): Planned {
  if (plan === undefined || item._tag === "Settled") return new Planned(held, settlementOf(item));
  const { settlement, writes } = plan(item);
  return new Planned(held, settlement, writes);
}

const emptyPile = ({ origin, stream, group, consumer }: HeldDelivery<unknown>): Pile => ({
  origin,
  stream,
  group,
  consumer,
  planned: [],
  lost: [],
  repeated: 0,
});

/** By what a receipt counts them as, which is the same for most. @internal */
export function byCount(planned: readonly Planned[]): ReadonlyMap<ReceiptCount, Planned[]> {
  const lists = new Map<ReceiptCount, Planned[]>();
  let latest: ReceiptCount | undefined;
  let list: Planned[] = [];
  for (const each of planned) {
    const count = countOf(each.settlement);
    if (count !== latest) {
      list = lists.get(count) ?? [];
      lists.set(count, list);
      latest = count;
    }
    list.push(each);
  }
  return lists;
}

/** Nothing goes with it: one XACK for many does. @internal */
export const isPlainAck = ({ held, settlement, writes }: Planned): boolean =>
  settlement._tag === "Ack" && held.claims === undefined && writes === undefined && !held.isAgain;

/** What goes with an entry into the dead-letter stream. @internal */
export function noteFor({ stream, id, group = "", consumer = "", deliveryCount }: HeldDelivery<unknown>, cause: unknown): string {
  return encodeNote({ origin: { stream, id, group, consumer }, cause: toCause(cause), deliveryCount });
}
