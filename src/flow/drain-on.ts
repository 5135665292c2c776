import { setMaxListeners } from "node:events";

/**
 * An AbortSignal that the first of these process signals aborts: give it to a source as `signal`, and the process finishes what
 * it has in flight before it ends.
 *
 * The process then ends when nothing is left to do. A second signal of the same kind has its ordinary effect, which ends a
 * process that hangs; one of another kind that is named here - the supervisor's SIGTERM after a person's Ctrl-C - has none.
 *
 * @param signals - names such as `"SIGTERM"` and `"SIGINT"`; at least one
 * @throws RangeError when no signal is named; Node's own error for an unknown one
 * @example
 * ```ts
 * fromGroup(redis, { stream: "orders", group: "shipping", startId: "0", signal: drainOn("SIGTERM", "SIGINT") });
 * ```
 * @public
 */
export function drainOn(...signals: readonly NodeJS.Signals[]): AbortSignal {
  if (signals.length === 0) throw new RangeError('Expected `signals` to name at least one process signal, such as "SIGTERM"');
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one for each source that it drains
  const abort = (name: NodeJS.Signals): void => controller.abort(new Error(`${name} received: draining`));
  try {
    for (const name of signals) process.once(name, abort);
  } catch (error) {
    for (const name of signals) process.off(name, abort); // one can't be listened to: the others must not be swallowed
    throw error;
  }
  return controller.signal;
}
