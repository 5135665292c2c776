/**
 * A promise where no promise may be: what it stands in for is refused at once, and its rejection, which then nobody waits for, would
 * end the process. Other values are left alone.
 * @internal
 */
export function disown(value: unknown): void {
  if (isThenable(value)) void value.then(undefined, () => undefined);
}

/** What a callback answered that can't be waited for. @throws TypeError for a promise: taken as a value, it would be true @internal */
export function atOnce<A>(name: string, answer: A): A {
  if (!isThenable(answer)) return answer;
  disown(answer);
  throw new TypeError(`Expected \`${name}\` to answer at once, got a promise`);
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as Partial<PromiseLike<unknown>>).then === "function";
