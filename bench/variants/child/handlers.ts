import { job } from "./job.js";
import type { Order } from "./payload.js";

let length = 0;

/** What a handler does with the text of an entry where the job says that it reads. */
function read({ orderId, customer, amount, note }: Order): void {
  length += orderId.length + customer.length + amount.length + note.length;
}

/** The handler of a variant that sees values. Without reading it is a no-op: what is measured is what lies around it. */
export const handle: (order: Order) => void = job.reads === "nothing" ? () => {} : read;

/** The handler of a loop that sees the flat list of names and values; knows where each value stands. */
export const handleFlat: (fields: readonly string[]) => void =
  job.reads === "nothing"
    ? () => {}
    : (fields) => {
        length += fields[1]!.length + fields[3]!.length + fields[5]!.length + fields[7]!.length;
      };

/** So that no compiler finds out that nobody needs the length. */
process.on("exit", () => length < 0 && console.error(length));
