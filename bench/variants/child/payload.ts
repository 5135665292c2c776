/** The entries of all benchmarks: four fields whose names and values have `bytes` bytes together. */
export interface Order {
  readonly orderId: string;
  readonly customer: string;
  readonly amount: string;
  readonly note: string;
}

const smallest = 46;

export function toOrder(index: number, bytes: number): Order {
  return {
    orderId: `o-${String(index).padStart(9, "0")}`,
    customer: `c-${String((index * 7919) % 1000).padStart(4, "0")}`,
    amount: String(100 + (index % 900)),
    note: "x".repeat(Math.max(1, bytes - smallest + 1)),
  };
}

/** The id that the harness gives to the entry of this index: ten in each millisecond, from some day in 2025 on. */
export function idOf(index: number): string {
  return `${1_760_000_000_000 + Math.floor(index / 10)}-${index % 10}`;
}

/** The words of an XADD after the stream and the id. */
export function flat({ orderId, customer, amount, note }: Order): string[] {
  return ["orderId", orderId, "customer", customer, "amount", amount, "note", note];
}
