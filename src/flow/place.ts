import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  from,
  ignoreElements,
  merge,
  mergeMap,
  NEVER,
  race,
  Subject,
  take,
  tap,
  timer,
  type Observable,
} from "rxjs";
import { ClaimMode } from "./claim-mode.js";
import { FollowedStream } from "./followed-stream.js";
import type { GroupSettings } from "./group-settings.js";
import { leaveStream } from "./leave-group.js";
import type { Session } from "./session.js";

/** Groups looked after at a time. */
const atOnce = 32;

/** Streams that one command may read together; they may come and go while it runs. @internal */
export class Place {
  readonly mode: ClaimMode;
  readonly #session: Session<GroupSettings>;
  readonly #followed = new Map<string, FollowedStream>();
  /** No longer read, but something of them is in flight, or this consumer is still in their groups. */
  readonly #leaving = new Map<string, FollowedStream>();
  readonly #changed = new Subject<void>();
  #readable: readonly FollowedStream[] = [];
  #names: readonly string[] = [];

  constructor(session: Session<GroupSettings>, streams: readonly string[]) {
    this.#session = session;
    this.mode = new ClaimMode(session.settings);
    this.follow(streams);
  }

  /** The streams whose groups are there. */
  get readable(): readonly FollowedStream[] {
    return this.#readable;
  }

  /** Their names, in the same order. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** True while no group is to be made and no stream to be left. */
  get isSteady(): boolean {
    return this.#readable.length === this.#followed.size && this.#leaving.size === 0;
  }

  /** True when nothing is left to do here. */
  get isOver(): boolean {
    return this.#followed.size === 0 && this.#leaving.size === 0;
  }

  get(stream: string): FollowedStream | undefined {
    return this.#followed.get(stream);
  }

  /** Reads these from the next read on, and leaves what else it has read. */
  follow(streams: readonly string[]): void {
    const wanted = new Set(streams);
    for (const stream of this.#followed.keys()) if (!wanted.has(stream)) this.#unfollow(stream);
    for (const stream of streams) if (!this.#followed.has(stream)) this.#start(stream);
    this.#look();
    this.#changed.next();
  }

  /** Groups that are missing are made, and streams that are no longer read are left when nothing of them is in flight. */
  tend(): Observable<never> {
    return defer(() => {
      if (this.isSteady) return EMPTY;
      const missing = this.#all().filter(({ group }) => !group.isThere);
      const made = from(missing).pipe(mergeMap(({ group }) => group.ensure(), atOnce));
      const left = from(this.#leaving.keys()).pipe(mergeMap((stream) => this.#leave(stream), atOnce));
      return concat(
        merge(made, left.pipe(ignoreElements())),
        defer(() => {
          this.#look();
          return EMPTY;
        }),
      );
    });
  }

  /** Waits while there is nothing to read, until that may have changed. */
  pause(): Observable<never> {
    return defer(() => {
      if (this.#readable.length > 0 || this.isOver) return EMPTY;
      const next = Math.min(...this.#all().flatMap(({ group }) => (group.isThere ? [] : group.againAt)));
      const again = next === Infinity ? NEVER : timer(Math.max(0, next - asyncScheduler.now()));
      return race<unknown[]>(again, this.#changed, this.#session.ledger.returned).pipe(take(1), ignoreElements());
    });
  }

  /** A group is not there any more: the one that the server's answer names, of a stream that is being left, too. */
  vanished(error: unknown): void {
    const answer = error instanceof Error ? error.message : "";
    for (const { group, own } of this.#namedIn(answer)) {
      group.vanished(error);
      own.plan();
    }
    this.#look();
  }

  /** The answer has the key, which may begin with a prefix: of several names that it ends with the longest is meant. */
  #namedIn(answer: string): readonly FollowedStream[] {
    if (!answer.includes("'")) return this.#readable;
    const named = this.#all().filter(({ ref }) => answer.includes(`${ref.stream}'`));
    const longest = Math.max(...named.map(({ ref }) => ref.stream.length));
    return named.filter(({ ref }) => ref.stream.length === longest);
  }

  answered(): void {
    for (const { group } of this.#readable) group.answered();
  }

  /** One that is being left goes on where it was: what of it is open is known. */
  #start(stream: string): void {
    this.#followed.set(stream, this.#leaving.get(stream) ?? new FollowedStream(this.#session, stream, this.mode));
    this.#leaving.delete(stream);
    this.#session.joined.add(stream);
  }

  #unfollow(stream: string): void {
    this.#leaving.set(stream, this.#followed.get(stream)!);
    this.#followed.delete(stream);
  }

  #all(): FollowedStream[] {
    return [...this.#followed.values(), ...this.#leaving.values()];
  }

  #leave(stream: string): Observable<unknown> {
    if (this.#session.ledger.inFlight(stream).length > 0) return EMPTY;
    const forget = (): void => {
      if (!this.#leaving.delete(stream)) return; // it is read again
      this.#session.joined.delete(stream);
    };
    return leaveStream(this.#session, stream).pipe(tap({ complete: forget }));
  }

  #look(): void {
    this.#readable = [...this.#followed.values()].filter(({ group }) => group.isThere);
    this.#names = this.#readable.map(({ ref }) => ref.stream);
  }
}
