import type { Delivery } from "./delivery.js";
import { HeldDelivery, MappedDelivery } from "./held-delivery.js";
import { deliveryOf, type Flow } from "./settlement.js";

/** Writes down where a delivery is; what only looks like one is somebody else's to refuse. @internal */
export function noteSeen(item: Flow<unknown>, place: string): void {
  const delivery: Delivery<unknown> = deliveryOf(item);
  if (delivery instanceof HeldDelivery) (delivery as HeldDelivery<unknown>).seen = place;
  else if (delivery instanceof MappedDelivery) delivery.held.seen = place;
}

/** Where a delivery was seen last, or what the branches know that have it. @internal */
export function lastSeen({ seen }: HeldDelivery<unknown>): string | undefined {
  return typeof seen === "function" ? seen() : seen;
}

/** `1st`, `2nd`, `3rd`, `4th` … @internal */
export function ordinal(position: number): string {
  const ending = ["th", "st", "nd", "rd"][position % 10];
  return `${position}${ending === undefined || Math.floor((position % 100) / 10) === 1 ? "th" : ending}`;
}
