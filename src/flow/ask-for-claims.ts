import { catchError, defer, EMPTY, from, merge, tap, type Observable } from "rxjs";
import type { GroupRef, StreamCommands } from "../redis/port.js";
import type { HeldClaim } from "./claim-book.js";
import { retryTransient } from "./retry-transient.js";
import { unlessFatal } from "./unless-fatal.js";

/** Asks for keys until Redis answers, and notes the answers: one round trip for all, a script call per stream. @internal */
export function takeClaims(commands: StreamCommands, claims: readonly HeldClaim[], claimMs: number): Observable<unknown> {
  const asked = byStream(claims).map(([ref, some]) =>
    defer(() => from(commands.claim(ref, some, "take", claimMs))).pipe(
      catchError((error: unknown) => {
        some[0]!.held.origin.hindered(error); // out of memory, for one: nothing else would tell why all stands still
        throw error;
      }),
      retryTransient(ref),
      tap((answers) => answers.forEach((answer, index) => (some[index]!.answer = answer))),
    ),
  );
  return merge(...asked);
}

/** Renews claims; the next renewal comes in time if this one fails. @internal */
export function renewClaims(commands: StreamCommands, claims: readonly HeldClaim[], claimMs: number): Observable<unknown> {
  const renewed = byStream(claims).map(([ref, some]) =>
    defer(() => from(commands.claim(ref, some, "renew", claimMs))).pipe(
      catchError((error: unknown) => unlessFatal(error, ref, () => EMPTY)),
    ),
  );
  return merge(...renewed);
}

function byStream(claims: readonly HeldClaim[]): readonly (readonly [GroupRef, HeldClaim[]])[] {
  const lists = new Map<string, [GroupRef, HeldClaim[]]>();
  let latest: [GroupRef, HeldClaim[]] | undefined;
  for (const claim of claims) {
    const { stream, group = "" } = claim.held;
    if (latest?.[0].stream !== stream || latest[0].group !== group) {
      const id = JSON.stringify([stream, group]);
      latest = lists.get(id) ?? [{ stream, group }, []];
      lists.set(id, latest);
    }
    latest[1].push(claim);
  }
  return [...lists.values()];
}
