import type { ReadPlan } from "../model/read-plan.js";
import type { StreamPage } from "../redis/port.js";

/** @internal */
export type ReadAnswer =
  { readonly _tag: "pages"; readonly pages: readonly StreamPage[] } | { readonly _tag: "failed"; readonly error: unknown };

/** A read that was sent. Its credit is set aside, and its answer kept, until its turn comes. @internal */
export class SentRead {
  readonly plan: ReadPlan;
  readonly sentAt: number;
  /** Gives the credit back that is not used by then. */
  readonly release: () => void;
  #answer: ReadAnswer | undefined;
  #listener: ((answer: ReadAnswer) => void) | undefined;

  constructor(plan: ReadPlan, sentAt: number, release: () => void) {
    this.plan = plan;
    this.sentAt = sentAt;
    this.release = release;
  }

  readonly brought = (pages: readonly StreamPage[]): void => this.#tell({ _tag: "pages", pages });
  readonly failed = (error: unknown): void => this.#tell({ _tag: "failed", error });

  /** Calls back when it is answered, at once if it is already. */
  whenAnswered(listener: (answer: ReadAnswer) => void): void {
    if (this.#answer === undefined) this.#listener = listener;
    else listener(this.#answer);
  }

  /** Nobody waits for it any more. */
  forget(): void {
    this.#listener = undefined;
    this.release();
  }

  #tell(answer: ReadAnswer): void {
    if (this.#listener === undefined) this.#answer = answer;
    else this.#listener(answer);
  }
}
