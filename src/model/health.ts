import * as O from "fp-ts/lib/Option.js";
import type { EndState, SourceProgress, SourceState } from "./progress.js";

/**
 * Why a source is not ready or, where it says so, not live:
 *
 * - `starting`: no read was answered yet.
 * - `reconnecting`: Redis can't be read at the moment.
 * - `draining`, `stopped`: it reads no more. Not live either when it `failed`.
 * - `late`: a read is unanswered for too long. Not live.
 * - `stalled`: nothing was settled for too long while something waits for it, or what was handed out so much later was. Not live.
 * - `silent`: nothing was heard of the source, which says something every second. Not live.
 * - `noSource`: nothing was heard of any source yet.
 * @public
 */
export type HealthReason =
  | { readonly _tag: "noSource" }
  | { readonly _tag: "starting"; readonly source: string }
  | { readonly _tag: "reconnecting"; readonly source: string; readonly cause: unknown }
  | { readonly _tag: "draining"; readonly source: string; readonly unsettled: number }
  | { readonly _tag: "stopped"; readonly source: string; readonly how: EndState }
  | { readonly _tag: "late"; readonly source: string; readonly waitingMs: number; readonly cause?: unknown }
  | { readonly _tag: "stalled"; readonly source: string; readonly unsettled: number; readonly oldestMs: number }
  | { readonly _tag: "silent"; readonly source: string; readonly silentMs: number };

/** Whether sources do what they are there for. @public */
export interface Health {
  /** False: starting the process anew may help. */
  readonly live: boolean;
  /** It reads, and can go on. False whenever `live` is. */
  readonly ready: boolean;
  /** Empty when it is ready. */
  readonly reasons: readonly HealthReason[];
  /** Ms since Redis last answered a read, at most; none before that. Of several sources the longest. */
  readonly readAgeMs: O.Option<number>;
  /** Ms since Redis last confirmed a settlement, at most; none before that. Of several sources the longest. */
  readonly settlementAgeMs: O.Option<number>;
  /** Of all sources. */
  readonly unsettled: number;
  /** Each source on its own. */
  readonly sources: readonly SourceHealth[];
}

/** One source of {@link Health}. @public */
export interface SourceHealth extends Omit<Health, "sources"> {
  readonly source: string;
  readonly state: SourceState;
}

/** How long what may take, ms. @internal */
export interface HealthBounds {
  readonly lateAfterMs: number;
  readonly silentAfterMs: number;
  /** Undefined: as long as the source itself says. */
  readonly stalledAfterMs: number | undefined;
}

/** What was last heard of each source, by its name. @internal */
export type Roll = ReadonlyMap<string, Heard>;

/** @internal */
export interface Heard {
  readonly progress: SourceProgress;
  readonly at: number;
}

/**
 * Notes what was heard. A source that is over is forgotten when another one begins in its place; one that ended as it was meant to,
 * also when any other is there.
 * @internal
 */
export function hear(roll: Roll, progress: SourceProgress, at: number): Roll {
  const others = [...roll].filter(([name, heard]) => name !== progress.source && !isReplaced(heard.progress, progress));
  return new Map([...others, [progress.source, { progress, at }]]);
}

/** The health of all sources: as bad as the worst. @internal */
export function healthOf(roll: Roll, now: number, bounds: HealthBounds): Health {
  const all = [...roll.values()];
  const working = all.filter(({ progress }) => !isOver(progress) || progress.state === "failed");
  const sources = (working.length > 0 ? working : all.slice(-1)).map((heard) => sourceHealth(heard, now, bounds));
  const reasons = sources.length === 0 ? [{ _tag: "noSource" } as const] : sources.flatMap((source) => source.reasons);
  return {
    ...verdictOf(reasons),
    readAgeMs: longest(sources.map(({ readAgeMs }) => readAgeMs)),
    settlementAgeMs: longest(sources.map(({ settlementAgeMs }) => settlementAgeMs)),
    unsettled: sources.reduce((sum, { unsettled }) => sum + unsettled, 0),
    sources,
  };
}

/** Whether two verdicts are the same, ages aside. @internal */
export function isSameVerdict(one: Health, other: Health): boolean {
  const tags = ({ reasons }: Health): string =>
    JSON.stringify(reasons.map((reason) => [reason._tag, "source" in reason ? reason.source : ""]));
  return one.live === other.live && tags(one) === tags(other);
}

function sourceHealth({ progress, at }: Heard, now: number, bounds: HealthBounds): SourceHealth {
  const { source, state, readAgeMs, settlementAgeMs, unsettled } = progress;
  const agoMs = now - at;
  const reasons = reasonsFor(progress, agoMs, bounds);
  return {
    source,
    state,
    ...verdictOf(reasons),
    readAgeMs: O.fromNullable(later(readAgeMs, agoMs)),
    settlementAgeMs: O.fromNullable(later(settlementAgeMs, agoMs)),
    unsettled,
  };
}

const verdictOf = (reasons: readonly HealthReason[]): Pick<Health, "live" | "ready" | "reasons"> => ({
  live: !reasons.some(isDeadly),
  ready: reasons.length === 0,
  reasons,
});

const isDeadly = (reason: HealthReason): boolean =>
  reason._tag === "stopped" ? reason.how === "failed" : ["late", "stalled", "silent"].includes(reason._tag);

function reasonsFor(progress: SourceProgress, agoMs: number, bounds: HealthBounds): readonly HealthReason[] {
  const { source, state, unsettled, cause } = progress;
  switch (state) {
    case "drained":
    case "unsubscribed":
    case "failed":
      return [{ _tag: "stopped", source, how: state }]; // it has nothing more to say
    case "starting":
      return [{ _tag: state, source }, ...symptoms(progress, agoMs, bounds)];
    case "reconnecting":
      return [{ _tag: state, source, cause }, ...symptoms(progress, agoMs, bounds)];
    case "draining":
      return [{ _tag: state, source, unsettled }, ...symptoms(progress, agoMs, bounds)];
    case "reading":
    case "starved":
      return symptoms(progress, agoMs, bounds);
  }
}

/**
 * What ages betray, as they were when it was last heard of: to add the time since would suspect a source of having done nothing
 * in the second between two signs of life.
 */
function symptoms(progress: SourceProgress, agoMs: number, bounds: HealthBounds): readonly HealthReason[] {
  const { source, unsettled, waitingMs = 0, blockMs, oldestMs = 0, settlementAgeMs = Infinity, overtakenMs, cause } = progress;
  const { stalledAfterMs = progress.stalledAfterMs, lateAfterMs, silentAfterMs } = bounds;
  if (agoMs > silentAfterMs) return [{ _tag: "silent", source, silentMs: agoMs }];
  const late: HealthReason = { _tag: "late", source, waitingMs, ...(cause === undefined ? {} : { cause }) };
  const stalled: HealthReason = { _tag: "stalled", source, unsettled, oldestMs };
  return [
    ...(waitingMs > blockMs + lateAfterMs ? [late] : []),
    ...(Math.max(overtakenMs, Math.min(oldestMs, settlementAgeMs)) > stalledAfterMs ? [stalled] : []),
  ];
}

const isOver = ({ state }: SourceProgress): boolean => state === "drained" || state === "unsubscribed" || state === "failed";

/** Whether a source that is over has a successor: for the same streams and group, or any at all when it was to end. */
function isReplaced(former: SourceProgress, progress: SourceProgress): boolean {
  if (!isOver(former) || isOver(progress)) return false;
  return former.state !== "failed" || (former.group === progress.group && former.streams.join() === progress.streams.join());
}

const later = (ageMs: number | undefined, agoMs: number): number | undefined => (ageMs === undefined ? undefined : ageMs + agoMs);

const longest = (ages: readonly O.Option<number>[]): O.Option<number> => {
  const known = ages.flatMap((age) => (O.isSome(age) ? [age.value] : []));
  return known.length === 0 ? O.none : O.some(Math.max(...known));
};
