/** Balances the books: every entry that was added must be somewhere. */
import type { Books } from "./books.js";

export interface Account {
  readonly added: number;
  /** Entries whose handler came to the end; `repeated` of them more than once, which at-least-once allows. */
  readonly handled: number;
  readonly repeated: number;
  /** Entries that failed and were tried again. */
  readonly retried: number;
  /** Entries a killed worker left behind and others settled. */
  readonly recovered: number;
  readonly deadLettered: number;
  readonly reasons: ReadonlyMap<string, number>;
  /** Given to a consumer and not settled. */
  readonly pending: number;
  readonly unread: number;
  /** Neither handled nor a dead letter and, if the run was interrupted, neither pending nor unread either. */
  readonly unaccounted: readonly string[];
  /** True when nothing is missing or has ended in two ways and, unless the run was interrupted, nothing is left to do. */
  readonly balanced: boolean;
}

export function account(books: Books, { interrupted }: { readonly interrupted: boolean }): Account {
  const dead = new Set<string>(books.deadLetters.map(({ origin }) => origin.id));
  const waiting = new Set([...books.pending, ...books.unread]);
  const isSettled = (id: string): boolean => books.handled.has(id) || dead.has(id);
  const unaccounted = books.added.filter((id) => !isSettled(id) && !(interrupted && waiting.has(id)));
  const inTwoWays = [...dead].filter((id) => books.handled.has(id));
  const isComplete = unaccounted.length === 0 && books.inStream === books.added.length && dead.size === books.deadLetters.length;
  return {
    added: books.added.length,
    handled: books.handled.size,
    repeated: [...books.handled.values()].filter((times) => times > 1).length,
    retried: books.failed.size,
    recovered: books.leftBehind.filter((id) => isSettled(id) && !books.pending.includes(id)).length,
    deadLettered: books.deadLetters.length,
    reasons: countBy(books.deadLetters.map(({ cause }) => `${cause.name}: ${cause.message}`)),
    pending: books.pending.length,
    unread: books.unread.length,
    unaccounted,
    balanced: isComplete && inTwoWays.length === 0 && (interrupted || waiting.size === 0),
  };
}

function countBy(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
