/**
 * Helper keys live beside their stream in the same Cluster slot, because one script writes to both.
 * A stream that has a hash tag keeps it; any other becomes the tag itself: `orders` → `{orders}:dlq:shipping`. (So a stream
 * named `{orders}` and one named `orders` should not have groups of one name.)
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ "Hash tags"
 */

/** The first `{…}` with something inside, the part that Redis Cluster hashes. */
const hashTag = /^[^{]*\{[^}]+\}/;

const beside = (stream: string): string => (hashTag.test(stream) ? stream : `{${stream}}`);

/**
 * The stream of a group's dead letters, unless `deadLetterStream` names another; without a group, of what was read without one.
 * @example
 * ```ts
 * deadLetterKey("orders", "shipping"); // => "{orders}:dlq:shipping"
 * ```
 * @public
 */
export const deadLetterKey = (stream: string, group = ""): string => `${beside(stream)}:dlq${group === "" ? "" : `:${group}`}`;

/**
 * The ZSET of a group's entries that wait for a retry, by the server time in ms at which they are due. Deleting it makes them
 * ordinary pending entries, which are claimed when the lease has run out.
 * @example
 * ```ts
 * retryKey("{eu}:orders", "shipping"); // => "{eu}:orders:retry:shipping"
 * ```
 * @public
 */
export const retryKey = (stream: string, group: string): string => `${beside(stream)}:retry:${group}`;

/**
 * The HASH of when a group's entries failed first, and how often they were redriven; an entry's field goes with its ack. Deleting it
 * makes dead letters forget that.
 * @example
 * ```ts
 * failuresKey("orders", "shipping"); // => "{orders}:failures:shipping"
 * ```
 * @public
 */
export const failuresKey = (stream: string, group: string): string => `${beside(stream)}:failures:${group}`;

/** Marks that an entry with this key was added, on servers whose streams don't remember that themselves. @internal */
export const addedKey = (stream: string, key: string): string => `${beside(stream)}:added:${key}`;
/**
 * What the keys of `dedupe` begin with. Those of a scope of one's own lie beside that: `payments` → `{payments}:dedupe:shared:`.
 * @internal
 */
export function dedupePrefix(scope: DedupeScope, stream: string, group: string): string {
  switch (scope._tag) {
    case "group": // its name is followed by more, so it must not have a colon of its own
      return `${beside(stream)}:dedupe:group:${encodeURIComponent(group)}:`;
    case "stream":
      return `${beside(stream)}:dedupe:stream:`;
    case "shared":
      return `${beside(scope.name)}:dedupe:shared:`;
  }
}

/** Who must not handle a key twice: a group, all groups of a stream, or all that name the same scope. @internal */
export type DedupeScope = { readonly _tag: "group" } | { readonly _tag: "stream" } | { readonly _tag: "shared"; readonly name: string };

/** A name that lies in the slot of a stream, for what was to be called `name`. @internal */
export const nameBeside = (stream: string, name: string): string => `${beside(stream)}:${name.replace(/[{}]/g, "")}`;

/**
 * The text that holds how far a reader without a group has come: the id up to which everything is settled. To make the reader
 * begin elsewhere, stop it, then SET another id, or DEL it.
 * @example
 * ```ts
 * checkpointKey("orders", "audit"); // => "{orders}:checkpoint:audit"
 * ```
 * @public
 */
export const checkpointKey = (stream: string, name: string): string => `${beside(stream)}:checkpoint:${name}`;

/**
 * The hash that counts what all consumers of a group let through together, for `rateLimit`; it expires by itself.
 * @example
 * ```ts
 * rateKey("orders", "shipping", { limit: 100, perMs: 1000 }); // => "{orders}:rate:shipping:100per1000"
 * ```
 * @public
 */
export const rateKey = (stream: string, group: string, { limit, perMs }: { readonly limit: number; readonly perMs: number }): string =>
  `${beside(stream)}:rate:${group}:${limit}per${perMs}`;

/**
 * The ZSET in which `partitionBy` with `whileRetrying: "wait"` notes which entries of a key were put back, so that later ones wait.
 * Deleting it lets them overtake.
 * @example
 * ```ts
 * orderKey("orders", "shipping"); // => "{orders}:order:shipping"
 * ```
 * @public
 */
export const orderKey = (stream: string, group: string): string => `${beside(stream)}:order:${group}`;

/** @throws RangeError for a name that no helper key can share a slot with: a brace, but no hash tag @internal */
export function streamName(name: string, value: string): string {
  if (hashTag.test(value) || !/[{}]/.test(value)) return value;
  throw new RangeError(
    `Expected \`${name}\` to have a whole hash tag such as "{orders}:eu" or no brace at all, got \`${JSON.stringify(value)}\`: its dead letters and retries could not share its Cluster slot`,
  );
}
