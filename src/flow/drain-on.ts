/**
 * An AbortSignal that the first of these process signals aborts: give it to a source as `signal`, and the process finishes what
 * it has in flight before it ends.
 *
 * The listeners stay until then, so the process ends only when nothing is left to do; a second signal of the same kind
 * has its ordinary effect, which kills a process that does not want to stop.
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
  const abort = (name: NodeJS.Signals): void => {
    for (const each of signals) process.off(each, abort);
    controller.abort(new Error(`${name} received: draining`));
  };
  for (const name of signals) process.on(name, abort);
  return controller.signal;
}
