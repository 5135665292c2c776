/** Says that one way to a server is not open here, so the next one is tried; every other error ends the search. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** What was found, and why each way before it was not taken. */
export interface Found<T> {
  readonly found: T;
  readonly because: readonly string[];
}

/** Tries one way after the other; `otherwise` makes the error of the case that none is open. */
export async function firstAvailable<T>(
  ways: readonly (() => Promise<T>)[],
  otherwise: (reasons: readonly string[]) => Error,
): Promise<Found<T>> {
  const reasons: string[] = [];
  for (const way of ways) {
    try {
      return { found: await way(), because: reasons };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      reasons.push(error.message);
    }
  }
  throw otherwise(reasons);
}
