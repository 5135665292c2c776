import { throwError, type Observable } from "rxjs";
import { classifyError } from "../redis/classify-error.js";
import type { GroupRef } from "../redis/port.js";

/** What is done about an error of a command that may heal; one that can't is passed on, in its typed form. @internal */
export function unlessFatal<A>(error: unknown, about: GroupRef, otherwise: () => Observable<A>): Observable<A> {
  const verdict = classifyError(error, about);
  return verdict._tag === "fatal" ? throwError(() => verdict.error) : otherwise();
}
