/** A trap for one value: armed with a predicate, sprung by the first match, done when the fault has been had. */
export interface OneShot<T> {
  /** Arms it; resolves when the fault has been had. */
  readonly arm: (predicate: (value: T) => boolean) => Promise<void>;
  /** Gives what to call once the fault has been had, when `value` springs the trap; it is disarmed then. */
  readonly spring: (value: T) => (() => void) | undefined;
}

export function oneShot<T>(): OneShot<T> {
  let armed: { readonly matches: (value: T) => boolean; readonly done: () => void } | undefined;
  return {
    arm: (matches) => new Promise((done) => (armed = { matches, done })),
    spring(value) {
      if (!armed?.matches(value)) return undefined;
      const { done } = armed;
      armed = undefined;
      return done;
    },
  };
}
