/** A figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: Iterable<number>): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Ratios within each round, so that what disturbs the machine for a while disturbs both sides. */
export function ratios(values: ReadonlyMap<number, number>, base: ReadonlyMap<number, number>): readonly number[] {
  return [...values].flatMap(([round, value]) => {
    const other = base.get(round);
    return other ? [value / other] : [];
  });
}

/** What goes on in a round, each time beginning with another one, so that nobody always follows the same neighbour. */
export function rotated<A>(values: readonly A[], by: number): readonly A[] {
  const start = by % Math.max(1, values.length);
  return [...values.slice(start), ...values.slice(0, start)];
}
