import type { ConsumerRef } from "../redis/port.js";
import type { Chore } from "./chore.js";
import type { ClaimMode } from "./claim-mode.js";
import { GroupKeeper } from "./group-keeper.js";
import type { GroupSettings } from "./group-settings.js";
import { RecoverOwn } from "./recover-own.js";
import type { Session } from "./session.js";
import { SweepStale } from "./sweep-stale.js";
import { TakeDue } from "./take-due.js";

/** A stream that a source reads: its group, and what there is to do about its pending entries. @internal */
export class FollowedStream {
  readonly ref: ConsumerRef;
  readonly group: GroupKeeper;
  readonly own: RecoverOwn;
  readonly due: TakeDue;
  readonly sweep: Chore;

  constructor(session: Session<GroupSettings>, stream: string, mode: ClaimMode) {
    const { group, leaseMs } = session.settings;
    this.ref = { stream, group, consumer: session.consumer };
    this.group = new GroupKeeper(session, { stream, group });
    this.own = new RecoverOwn(session, this.ref);
    this.due = new TakeDue(session, this.ref);
    this.sweep = new SweepStale(session, this.ref, this.own, {
      minIdleMs: leaseMs,
      get everyMs() {
        return mode.sweepEveryMs;
      },
    });
  }
}
