import type { Delivery } from "../model/delivery.js";
import { heldBy } from "../model/held-delivery.js";
import type { Origin, OriginWatcher } from "../model/origin.js";

/** Listens to the sources of the deliveries it is shown, once each. @internal */
export class OriginWatch {
  readonly #watcher: (origin: Origin) => OriginWatcher;
  readonly #stops = new Map<Origin, () => void>();
  #latest: Origin | undefined;

  constructor(watcher: (origin: Origin) => OriginWatcher) {
    this.#watcher = watcher;
  }

  /** The source of a delivery, listened to from now on. */
  see(delivery: Delivery<unknown>): Origin {
    const { origin } = heldBy(delivery);
    if (origin !== this.#latest && !this.#stops.has(origin)) this.#stops.set(origin, origin.watch(this.#watcher(origin)));
    return (this.#latest = origin);
  }

  stop(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }
}
