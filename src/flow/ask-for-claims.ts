import { catchError, defer, EMPTY, from, map, merge, reduce, type Observable } from "rxjs";
import type { ClaimAnswer, GroupRef, StreamCommands } from "../redis/port.js";
import type { HeldClaim } from "./claim-book.js";
import { retryTransient } from "./retry-transient.js";
import { unlessFatal } from "./unless-fatal.js";

/** The answers by place of the key, each with the one that asked. @internal */
export type ClaimAnswers = ReadonlyMap<string, { readonly claim: HeldClaim; readonly answer: ClaimAnswer }>;

/** Asks for keys until Redis answers: one round trip for all, a script call per stream. @internal */
export function takeClaims(commands: StreamCommands, claims: readonly HeldClaim[], claimMs: number): Observable<ClaimAnswers> {
  const asked = byStream(claims).map(([ref, some]) =>
    defer(() => from(commands.claim(ref, some, "take", claimMs))).pipe(
      catchError((error: unknown) => {
        some[0]!.held.origin.hindered(error); // out of memory, for one: nothing else would tell why all stands still
        throw error;
      }),
      retryTransient(ref),
      map((answers) => answers.map((answer, index) => ({ claim: some[index]!, answer }))),
    ),
  );
  return merge(...asked).pipe(
    reduce((all, answers) => [...all, ...answers], new Array<{ claim: HeldClaim; answer: ClaimAnswer }>()),
    map((all) => new Map(all.map((each) => [each.claim.place, each]))),
  );
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
  for (const claim of claims) {
    const { stream, group = "" } = claim.held;
    const id = JSON.stringify([stream, group]);
    const list = lists.get(id);
    if (list === undefined) lists.set(id, [{ stream, group }, [claim]]);
    else list[1].push(claim);
  }
  return [...lists.values()];
}
