import type { HeldDelivery } from "./held-delivery.js";
import type { OrderAnswer, OrderQuestion, OrderStep } from "./order.js";

/** What the operators hear from the source of a delivery. @internal */
export interface OriginWatcher {
  /** The source waits: for credit to read on, or for the last settlement of a drain. */
  starved?(): void;
  /** This delivery is not ours any more; stop working on it. */
  lost?(held: HeldDelivery<unknown>): void;
  /** The source has given up what is unsettled; a write on its behalf need not be confirmed any more. */
  abandoned?(): void;
  /** Settlements are confirmed: the credit of these is back. */
  settled?(confirmations: readonly Confirmation[]): void;
}

/** What a sink tells the source about a delivery whose settlement is confirmed. @internal */
export interface Confirmation {
  readonly held: HeldDelivery<unknown>;
  /** Set when the entry is to be delivered again in so many ms: it is pending, or its source keeps it. */
  readonly retryInMs?: number;
  /** Set when it is handed back: to whoever takes it next, or to its source. */
  readonly released?: true;
}

/** The source of a delivery, as operators and sinks see it: the credit it runs on. @internal */
export interface Origin {
  /** The most deliveries that may be unsettled at a time. */
  readonly window: number;
  readonly unsettled: number;
  /** After which idle time reads of the group claim an entry; undefined where they don't. */
  readonly claimIdleMs: number | undefined;
  /** It waits for something to be settled. */
  readonly starved: boolean;
  /** True once the source is over; nothing it handed out is its own any more. */
  readonly over: boolean;
  /** Returns the credit of confirmed settlements, once per batch. */
  confirm(confirmations: readonly Confirmation[]): void;
  /** A sink can't carry decisions out at the moment and goes on trying: for the status. */
  hindered(by: unknown): void;
  /** Asks whether entries wait that come before others of their key; answers once, and not when the source is over. */
  askEarlier(stream: string, questions: readonly OrderQuestion[], answer: (answers: readonly OrderAnswer[]) => void): void;
  /** What waits for these may come now. */
  forward(stream: string, steps: readonly OrderStep[]): void;
  /** Listens until the returned function is called. */
  watch(watcher: OriginWatcher): () => void;
}
