import { concat, defer, EMPTY, from, ignoreElements, of, repeat, tap, type Observable } from "rxjs";
import { toRedriven, type Redrivable, type Redriven, type RefusalReason } from "../model/redriven.js";
import type { StreamAdmin } from "../redis/port.js";
import { retryTransient } from "./retry-transient.js";

/** @internal */
export interface TakeBackPlan {
  readonly deadLetterStream: string | undefined;
  readonly isDryRun: boolean;
  readonly refuse: (letter: Redrivable) => RefusalReason | undefined;
}

/** Takes dead letters back to their groups until Redis confirms it. @internal */
export class TakeBack<L extends Redrivable> {
  readonly #admin: StreamAdmin;
  readonly #plan: TakeBackPlan;

  constructor(admin: StreamAdmin, plan: TakeBackPlan) {
    this.#admin = admin;
    this.#plan = plan;
  }

  /** What became of each letter, in their order, when all are confirmed. */
  write(letters: readonly L[]): Observable<Redriven<L>> {
    return defer(() => {
      const { isDryRun, refuse } = this.#plan;
      const became = new Map<L, Redriven<L>>();
      const byGroup = new Map<string, L[]>();
      for (const letter of letters) {
        const reason = refuse(letter);
        const name = JSON.stringify([letter.origin.stream, letter.origin.group]);
        if (reason !== undefined) became.set(letter, { _tag: "refused", letter, reason, isDryRun });
        else byGroup.set(name, [...(byGroup.get(name) ?? []), letter]);
      }
      const writes = [...byGroup.values()].map((some) => this.#writeTo(some, became));
      return concat(
        ...writes,
        defer(() => letters.map((letter) => became.get(letter)!)),
      );
    });
  }

  /** Letters of one group. The script stops at one that can't be written; it and the rest are sent again. */
  #writeTo(letters: readonly L[], became: Map<L, Redriven<L>>): Observable<never> {
    const { stream, group } = letters[0]!.origin;
    const { deadLetterStream, isDryRun } = this.#plan;
    let done = 0;
    const attempt = defer(() => from(this.#admin.redrive({ stream, group }, { deadLetterStream, letters: letters.slice(done), isDryRun })));
    return attempt.pipe(
      tap((outcomes) => {
        for (const outcome of outcomes) {
          const letter = letters[done]!;
          became.set(letter, toRedriven(letter, isDryRun, outcome));
          done += 1;
        }
      }),
      retryTransient({ stream, group }),
      repeat({ delay: () => (done < letters.length ? of(true) : EMPTY) }),
      ignoreElements(),
    );
  }
}
