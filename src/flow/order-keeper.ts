import type { Delivery } from "../model/delivery.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import { KeyOrder, type OrderPhase } from "../model/key-order.js";
import type { OrderAnswer, OrderStep } from "../model/order.js";
import type { Confirmation, Origin } from "../model/origin.js";
import { settle, type Flow, type Settled } from "../model/settlement.js";

/** An entry that is here, with the order of its key. */
interface Member<A> {
  readonly delivery: Delivery<A>;
  readonly order: KeyOrder;
  phase: OrderPhase;
  isMarked: boolean;
}

/** @internal */
export interface Outlet<A> {
  readonly emit: (item: Flow<A>) => void;
  /** Some of those that waited for an answer have theirs. */
  readonly answered: () => void;
}

/**
 * Keeps the entries of one stream in order beyond what is in this process: what was put back keeps later entries of its key
 * waiting, in Redis, until it is settled for good. Entries that arrive while Redis is asked about others are asked about together.
 * @internal
 */
export class OrderKeeper<A> {
  readonly #origin: Origin;
  readonly #stream: string;
  /** How many entries of a key that waited may be here: a share of the window, so that they keep nobody else from it. */
  readonly #most: number;
  readonly #outlet: Outlet<A>;
  readonly #orders = new Map<string, KeyOrder>();
  readonly #members = new Map<HeldDelivery<unknown>, Member<A>>();
  #arrived: Member<A>[] = [];
  #asked: readonly Member<A>[] = [];

  constructor(origin: Origin, stream: string, most: number, outlet: Outlet<A>) {
    this.#origin = origin;
    this.#stream = stream;
    this.#most = most;
    this.#outlet = outlet;
  }

  get isIdle(): boolean {
    return this.#asked.length === 0 && this.#arrived.length === 0;
  }

  /** The key of an entry that was let through. */
  keyOf(held: HeldDelivery<unknown>): string | undefined {
    return this.#members.get(held)?.order.key;
  }

  arrive(delivery: Delivery<A>, key: string): void {
    let order = this.#orders.get(key);
    if (order === undefined) this.#orders.set(key, (order = new KeyOrder(key)));
    order.arrive();
    const member: Member<A> = { delivery, order, phase: "arrived", isMarked: false };
    const held = heldBy(delivery);
    held.keepOrder(key);
    this.#members.set(held, member);
    this.#arrived.push(member);
    this.#ask();
  }

  /** The decision of a lane, as the sink is to get it, and behind it what becomes of those that wait for the same key. */
  outcomes(item: Settled<unknown>, takeBehind: (held: HeldDelivery<unknown>) => readonly Delivery<A>[]): readonly Settled<unknown>[] {
    const held = heldBy(item.delivery);
    const member = this.#members.get(held);
    const { settlement } = item;
    const comesAgain = settlement._tag === "Retry" || settlement._tag === "Release";
    if (!comesAgain || member?.phase !== "through" || held.state === "lost") return [item];
    const behindMs = this.#putBack(member, settlement.delayMs ?? 0);
    const behind = takeBehind(held).map((delivery) => this.#sendBack(this.#members.get(heldBy(delivery))!, behindMs));
    return [item, ...behind];
  }

  settled(confirmations: readonly Confirmation[]): void {
    const touched = new Set<KeyOrder>();
    for (const { held, retryInMs, released } of confirmations) {
      const member = this.#members.get(held);
      if (member === undefined || member.phase === "arrived") continue; // it is still to be answered, and let go then
      if (retryInMs !== undefined || released)
        member.order.isBack(member.phase); // whoever has decided so
      else member.order.settle(held.id, member.phase, member.isMarked);
      this.#members.delete(held);
      touched.add(member.order);
    }
    if (touched.size > 0) this.#conclude(touched);
  }

  /** Redis answers nothing any more: what arrived is let go. */
  abandoned(): void {
    const open = [...this.#asked, ...this.#arrived];
    this.#asked = [];
    this.#arrived = [];
    for (const member of open) if (this.#isWaiting(member)) this.#letGo(member);
  }

  #ask(): void {
    if (this.#asked.length > 0 || this.#arrived.length === 0) return;
    const asked = this.#arrived;
    this.#asked = asked;
    this.#arrived = [];
    const questions = asked.map(({ delivery: { id }, order }) => ({ key: order.key, id, above: order.lookAbove(id) }));
    this.#origin.askEarlier(this.#stream, questions, (answers) => {
      if (this.#asked !== asked) return;
      asked.forEach((member, index) => {
        if (this.#isWaiting(member)) this.#decide(member, answers[index]!);
      });
      this.#asked = [];
      this.#ask();
      this.#outlet.answered();
    });
  }

  /** Not decided about yet: who hears of another one may have ended the source, and all were let go then. */
  #isWaiting(member: Member<A>): boolean {
    return member.phase === "arrived" && this.#members.has(heldBy(member.delivery));
  }

  #decide(member: Member<A>, answer: OrderAnswer): void {
    const { delivery, order } = member;
    if (heldBy(delivery).state !== "open") return this.#letGo(member);
    const waitMs = order.decide(delivery.id, answer, this.#most);
    if (waitMs !== undefined) return this.#outlet.emit(this.#sendBack(member, waitMs));
    order.letThrough(delivery.id);
    member.phase = "through";
    member.isMarked = answer.isMarked;
    this.#outlet.emit(delivery);
  }

  #sendBack(member: Member<A>, delayMs: number): Settled<A> {
    this.#putBack(member, delayMs);
    return settle.release(member.delivery, { delayMs });
  }

  #putBack(member: Member<A>, delayMs: number): number {
    const { phase } = member;
    member.phase = "leaving";
    return member.order.putBack(member.delivery.id, phase, delayMs);
  }

  /** Lost before it was let through. */
  #letGo(member: Member<A>): void {
    const held = heldBy(member.delivery);
    this.#members.delete(held);
    member.order.settle(held.id, "arrived", false);
    this.#conclude([member.order]);
    this.#outlet.emit(settle.release(member.delivery));
  }

  #conclude(touched: Iterable<KeyOrder>): void {
    const steps: OrderStep[] = [];
    for (const order of touched) {
      const step = order.takeStep(this.#most);
      if (step !== undefined) steps.push(step);
      if (order.isOver) this.#orders.delete(order.key);
    }
    if (steps.length > 0) this.#origin.forward(this.#stream, steps);
  }
}
