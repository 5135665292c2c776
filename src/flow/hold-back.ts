import type { OperatorFunction } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy } from "../model/held-delivery.js";
import { settle, type Flow } from "../model/settlement.js";
import { operate } from "./operate.js";
import { Turnstile, type Permits, type TurnstileListener } from "./turnstile.js";
import { OriginWatch } from "./watch-origins.js";

/** Where permits come from. @internal */
export interface PermitOffice {
  /** Deliveries of one key wait in one line. */
  readonly keyOf: (delivery: Delivery<unknown>) => string;
  readonly permits: Permits;
  readonly close: () => void;
}

/** Holds deliveries back until there is a permit for each. @internal */
export function holdBack<A>(open: () => PermitOffice): OperatorFunction<Flow<A>, Flow<A>> {
  return operate((subscriber) => {
    const office = open();
    const lines = new Map<string, Turnstile<A>>();
    let ended = false;

    const completeIfDone = (): void => {
      if (!ended) return;
      for (const line of lines.values()) if (!line.isEmpty) return;
      subscriber.complete();
    };
    const listener: TurnstileListener<A> = {
      next: (item) => subscriber.next(item),
      error: (error) => subscriber.error(error),
      empty: completeIfDone,
    };
    const lineOf = (delivery: Delivery<A>): Turnstile<A> => {
      const key = office.keyOf(delivery);
      const line = lines.get(key) ?? new Turnstile<A>(office.permits, listener);
      lines.set(key, line);
      return line;
    };
    const origins = new OriginWatch(() => ({
      lost: (held) => {
        for (const line of lines.values()) line.lose(held);
      },
    }));
    subscriber.add(() => {
      origins.stop();
      for (const line of lines.values()) line.stop();
      office.close();
    });
    return {
      next: (item) => {
        if (item._tag === "Settled") return subscriber.next(item);
        origins.see(item);
        if (heldBy(item).state !== "open") return subscriber.next(settle.release(item));
        lineOf(item).arrive(item);
      },
      complete: () => {
        ended = true;
        completeIfDone();
      },
    };
  });
}
