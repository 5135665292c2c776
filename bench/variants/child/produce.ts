import { job } from "./job.js";
import { toOrder, type Order } from "./payload.js";

/** What every producer starts with: the same records, made before the clock starts. */
export const orders: readonly Order[] = Array.from({ length: job.entries }, (_, index) => toOrder(index, job.payloadBytes));

export function pagesOf<A>(values: readonly A[], size: number): A[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, page) => values.slice(page * size, (page + 1) * size));
}
