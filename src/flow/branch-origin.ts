import type { BranchHandle } from "../model/branch-delivery.js";
import type { OrderAnswer, OrderQuestion, OrderStep } from "../model/order.js";
import type { Origin, OriginWatcher } from "../model/origin.js";
import { Watchers } from "./watchers.js";

/** The source behind a branch, as the operators in it see it: the real one's credit and news, about the branch's own deliveries. @internal */
export class BranchOrigin implements Origin {
  readonly #source: Origin;
  readonly #watchers = new Watchers();
  /** How many the branch has not settled. */
  unsettled = 0;

  constructor(source: Origin) {
    this.#source = source;
  }

  get window(): number {
    return this.#source.window;
  }
  get claimIdleMs(): number | undefined {
    return this.#source.claimIdleMs;
  }
  get starved(): boolean {
    return this.#source.starved;
  }
  get over(): boolean {
    return this.#source.over;
  }

  /** Nothing to do: a branch has no sink. */
  confirm(): void {
    return undefined;
  }

  /** What waits in Redis waits for the delivery, whichever branch has put it back. */
  askEarlier(stream: string, questions: readonly OrderQuestion[], answer: (answers: readonly OrderAnswer[]) => void): void {
    this.#source.askEarlier(stream, questions, answer);
  }

  forward(stream: string, steps: readonly OrderStep[]): void {
    this.#source.forward(stream, steps);
  }

  hindered(by: unknown): void {
    this.#source.hindered(by);
  }

  watch(watcher: OriginWatcher): () => void {
    return this.#watchers.add(watcher);
  }

  /** Tells the operators of the branch. */
  tell(message: (watcher: OriginWatcher) => void): void {
    this.#watchers.tell(message);
  }

  /** It is lost, and nobody has heard of that yet. */
  mark(handle: BranchHandle): void {
    if (handle.state !== "open") return;
    handle.state = "lost";
    this.unsettled -= 1;
  }

  /** Says so, unless the branch had settled it before. */
  lose(handle: BranchHandle, reason: unknown): void {
    if (handle.state !== "lost") return;
    handle.abort(reason);
    this.tell((watcher) => watcher.lost?.(handle));
  }
}
