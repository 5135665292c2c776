import { asyncScheduler, Subscription, timer } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import type { Origin, OriginWatcher } from "../model/origin.js";
import { OriginWatch } from "./watch-origins.js";

/** What is collected, and how it goes. @internal */
export interface Collection {
  /** What has been collected goes when its first item is so old, ms. */
  readonly maxWaitMs: number;
  /** How many items are held now. */
  readonly held: () => number;
  readonly flush: (trigger: "time" | "starved") => void;
  /** What else is to be heard from the sources. */
  readonly watcher?: Omit<OriginWatcher, "starved">;
}

/** With its source out of credit a collection waits no longer than this for company. */
const starvedWaitMs = 5;

/** Says when a collection goes: when its first item is old enough, or when the source has no credit left and waits for it. @internal */
export class FlushClock {
  readonly #collection: Collection;
  readonly #origins: OriginWatch;
  #timing = new Subscription();
  #deadline = Infinity;

  constructor(collection: Collection) {
    this.#collection = collection;
    this.#origins = new OriginWatch((origin) => ({ ...collection.watcher, starved: () => this.#onStarved(origin) }));
  }

  /** The source of a delivery, listened to from now on. @throws TypeError for what is no delivery */
  see(delivery: Delivery<unknown>): Origin {
    return this.#origins.see(delivery);
  }

  /** One more from this source is held, and it is not full yet. */
  added(origin: Origin): void {
    const held = this.#collection.held();
    if (held === 1) this.#flushWithin(this.#collection.maxWaitMs, "time");
    if (origin.starved && (held === 1 || isEnough(held, origin))) this.#onStarved(origin);
  }

  /** Nothing is held any more. */
  reset(): void {
    this.#timing.unsubscribe();
    this.#deadline = Infinity;
  }

  stop(): void {
    this.reset();
    this.#origins.stop();
  }

  #onStarved(origin: Origin): void {
    const held = this.#collection.held();
    if (held === 0) return;
    if (isEnough(held, origin)) this.#collection.flush("starved");
    else this.#flushWithin(starvedWaitMs, "starved");
  }

  #flushWithin(ms: number, trigger: "time" | "starved"): void {
    const at = asyncScheduler.now() + ms;
    if (at >= this.#deadline) return;
    this.#deadline = at;
    this.#timing.unsubscribe();
    // eslint-disable-next-line rxjs-x/no-ignored-error -- a timer has no error
    this.#timing = timer(ms).subscribe({ next: () => this.#collection.flush(trigger) });
  }
}

/** A quarter of the window is worth a read; and if all that is in flight is here, nothing else will come. */
const isEnough = (held: number, origin: Origin): boolean => held >= origin.window / 4 || held >= origin.unsettled;
