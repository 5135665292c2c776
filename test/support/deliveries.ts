import { CreditLedger, type Admitted } from "../../src/flow/credit-ledger.js";
import { toEntryId, type EntryId } from "../../src/model/entry-id.js";
import type { Fields } from "../../src/model/fields.js";
import { heldBy, type HeldDelivery } from "../../src/model/held-delivery.js";
import { deliveryOf, type Flow } from "../../src/model/settlement.js";

/** What a test source hands out, where it matters. */
export interface TestSourceOptions {
  readonly stream?: string;
  readonly group?: string | undefined;
  readonly consumer?: string | undefined;
  /** The credit there is. */
  readonly window?: number;
}

/** Hands out deliveries as a source does: credit, states and watchers are the real ones, Redis is not needed. */
export class TestSource {
  readonly ledger: CreditLedger;
  readonly stream: string;
  readonly #group: string | undefined;
  readonly #consumer: string | undefined;

  constructor(options: TestSourceOptions = {}, ledger: CreditLedger = new CreditLedger(options.window ?? 1_000)) {
    const { stream = "orders" } = options;
    this.ledger = ledger;
    this.stream = stream;
    this.#group = "group" in options ? options.group : "shipping";
    this.#consumer = "consumer" in options ? options.consumer : "me";
  }

  /** One delivery, in flight from now on. */
  one(id: string, fields: Record<string, string> = { n: id }, deliveryCount = 1): HeldDelivery<Fields> {
    return this.page([[toEntryId(id), Object.entries(fields).flat(), deliveryCount]])[0]!;
  }

  /** Deliveries `1-0`, `2-0` … , in flight from now on; numbered after those before. */
  many(count: number, first = 1): HeldDelivery<Fields>[] {
    return this.page(Array.from({ length: count }, (_, index) => [idOf(first + index), ["n", String(first + index)]]));
  }

  page(entries: readonly Admitted[]): HeldDelivery<Fields>[] {
    const lease = { stream: this.stream, group: this.#group, consumer: this.#consumer };
    return this.ledger.admit(lease, entries) as HeldDelivery<Fields>[];
  }

  /** Another consumer got these. */
  lose(...deliveries: readonly HeldDelivery<unknown>[]): void {
    this.ledger.lose(
      this.stream,
      deliveries.map((held) => held.id),
      new Error("The lease of this delivery is lost"),
    );
  }
}

/** `7` → `"7-0"`. */
export const idOf = (number: number): EntryId => toEntryId(`${number}-0`);

/** An item of a flow in a word or two, for comparing whole runs: `1-0 = "value"`, `1-0 ack processed`, `1-0 retry 200 busy`. */
export function summary(item: Flow<unknown>): string {
  const { id } = deliveryOf(item);
  if (item._tag === "Delivery") return `${id} = ${JSON.stringify(item.value)}`;
  const { settlement } = item;
  switch (settlement._tag) {
    case "Ack":
      return `${id} ack ${settlement.reason}`;
    case "Retry":
      return `${id} retry ${settlement.delayMs} ${messageOf(settlement.cause)}`;
    case "DeadLetter":
      return `${id} dead ${messageOf(settlement.cause)}`;
    case "Release":
      return `${id} release`;
  }
}

/** `open`, `settling`, `lost` or `settled`. */
export const stateOf = (item: Flow<unknown>): string => heldBy(deliveryOf(item)).state;

export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
