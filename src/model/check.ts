import type { Payload } from "./payload.js";

/** Checks of options. Each returns the value it was given, so that a definition can check and keep it in one step. */

const show = (value: unknown): string => `\`${textOf(value)}\` (${value === null ? "null" : typeof value})`;

/** JSON shows most; it has no NaN, no bigint and no circles. */
function textOf(value: unknown): string {
  try {
    return typeof value === "object" || typeof value === "string" ? JSON.stringify(value) : `${value as number}`;
  } catch {
    return "[object]";
  }
}

const wrong = (name: string, expected: string, value: unknown): string => `Expected \`${name}\` to be ${expected}, got ${show(value)}`;

/** @throws TypeError when it is no number, RangeError when it is no integer from `min` to `max` @internal */
export function integer(name: string, value: number, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  const expected = max === Number.MAX_SAFE_INTEGER ? `an integer of ${min} or more` : `an integer from ${min} to ${max}`;
  if (typeof value !== "number") throw new TypeError(wrong(name, expected, value));
  if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(wrong(name, expected, value));
  return value;
}

/** A number of ms for a timer, which wraps around beyond; no fractions, because Redis refuses them in BLOCK and IDLE. @internal */
export function durationMs(name: string, value: number, min = 0, max: number = 2 ** 31 - 1): number {
  return integer(name, value, min, max);
}

/** @internal */
export function number(name: string, value: number, min: number): number {
  if (typeof value !== "number") throw new TypeError(wrong(name, `a number of ${min} or more`, value));
  if (!(value >= min) || value === Infinity) throw new RangeError(wrong(name, `a finite number of ${min} or more`, value));
  return value;
}

/** @internal */
export function text(name: string, value: string): string {
  if (typeof value !== "string") throw new TypeError(wrong(name, "a string", value));
  if (value === "") throw new RangeError(wrong(name, "a string that is not empty", value));
  return value;
}

/** @internal */
export function oneOf<A extends string>(name: string, value: A, allowed: readonly A[]): A {
  if (allowed.includes(value)) return value;
  throw new RangeError(wrong(name, `one of ${allowed.map((each) => `"${each}"`).join(", ")}`, value));
}

/** @internal */
export const payloadKind = (payload: Payload = "string"): Payload => oneOf<Payload>("payload", payload, ["string", "buffer"]);

/** @throws TypeError: the text "false" is true, and 0 as good as false @internal */
export function flag(name: string, value: boolean): boolean {
  if (typeof value !== "boolean") throw new TypeError(wrong(name, "true or false", value));
  return value;
}

/** @internal */
export function callable<F>(name: string, value: F): F {
  if (typeof value !== "function") throw new TypeError(wrong(name, "a function", value));
  return value;
}

/** Ties two options together: what each allows alone may be wrong for both. @internal */
export function relation(holds: boolean, message: string): void {
  if (!holds) throw new RangeError(message);
}
