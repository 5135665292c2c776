/**
 * A promise where no promise may be: what it stands in for is refused at once, and its rejection, which then nobody waits for, would
 * end the process. Other values are left alone.
 * @internal
 */
export function disown(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const { then } = value as Partial<PromiseLike<unknown>>;
  if (typeof then === "function") void (value as PromiseLike<unknown>).then(undefined, () => undefined);
}
