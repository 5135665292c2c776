/** A product and major version that the test matrix can ask for. */
export type Flavor = "redis-7" | "redis-8" | "valkey-9";

/** A Debian package, and the suites it comes from; without suites, those the machine is configured with. */
export interface DebianPackage {
  readonly name: "redis-server" | "valkey-server";
  readonly suites?: readonly [target: string, ...others: string[]];
}

/** Where a flavor comes from: an image for machines with a container engine, a package for the others. */
export interface Origin {
  readonly image: string;
  readonly debian: DebianPackage;
}

/** What is used when nobody asks for anything in particular. */
export const anyFlavor: Origin = { image: "redis:8.2-alpine", debian: { name: "redis-server" } };

export const flavors: Readonly<Record<Flavor, Origin>> = {
  "redis-7": { image: "redis:7.0-alpine", debian: { name: "redis-server", suites: ["bookworm"] } },
  "redis-8": { image: "redis:8.6-alpine", debian: { name: "redis-server", suites: ["experimental", "sid"] } },
  "valkey-9": { image: "valkey/valkey:9.1-alpine", debian: { name: "valkey-server", suites: ["sid"] } },
};

/**
 * Reads the name of a flavor, as `REDIS_FLAVOR` has it; empty means any.
 *
 * @throws RangeError when there is no such flavor
 */
export function toFlavor(name: string | undefined): Flavor | undefined {
  if (!name) return undefined;
  if (Object.hasOwn(flavors, name)) return name as Flavor;
  throw new RangeError(`Expected REDIS_FLAVOR to be one of ${Object.keys(flavors).join(", ")}, got \`${name}\``);
}
