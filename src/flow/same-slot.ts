import { CommandError } from "../errors.js";
import { nameBeside } from "../model/keys.js";
import type { StreamsPort } from "../redis/port.js";

/**
 * One script writes to both, and that runs on one node.
 * @param doing - what can't be done, for the message
 * @throws CommandError with the name that fits; it is a mistake in the names, and so of every delivery
 * @internal
 */
export function refuseOtherSlot(port: Pick<StreamsPort, "placeOf">, stream: string, key: string, doing: string): void {
  if (port.placeOf(key) === port.placeOf(stream)) return;
  const better = nameBeside(stream, key);
  const hint =
    port.placeOf(better) === port.placeOf(stream)
      ? `Name it "${better}"`
      : `With a keyPrefix, give both a hash tag of their own, such as "{${stream}}" and "{${stream}}:${key}"`;
  throw new CommandError(`${doing} in one step: they lie in different Cluster slots. ${hint}`, undefined);
}
