/** Replies as bytes: what a server of either protocol writes. */
const line = (type: string, text: string | number): Buffer => Buffer.from(`${type}${text}\r\n`);

const many = (type: string, count: number, items: readonly Buffer[]): Buffer => Buffer.concat([line(type, count), ...items]);

export const resp = {
  string: (value: string | Buffer | null): Buffer =>
    value === null
      ? Buffer.from("$-1\r\n")
      : Buffer.concat([line("$", Buffer.byteLength(value)), Buffer.from(value as Buffer), Buffer.from("\r\n")]),
  list: (items: readonly Buffer[] | null): Buffer => (items === null ? Buffer.from("*-1\r\n") : many("*", items.length, items)),
  integer: (value: number): Buffer => line(":", value),
  simple: (text: string): Buffer => line("+", text),
  error: (text: string): Buffer => line("-", text),
  // RESP3 alone
  map: (items: readonly Buffer[]): Buffer => many("%", items.length / 2, items),
  set: (items: readonly Buffer[]): Buffer => many("~", items.length, items),
  push: (items: readonly Buffer[]): Buffer => many(">", items.length, items),
  nothing: (): Buffer => Buffer.from("_\r\n"),
  boolean: (value: boolean): Buffer => line("#", value ? "t" : "f"),
  double: (value: number): Buffer => line(",", value),
  bigNumber: (digits: string): Buffer => line("(", digits),
  verbatim: (text: string): Buffer => Buffer.from(`=${Buffer.byteLength(text) + 4}\r\ntxt:${text}\r\n`),
  blobError: (text: string): Buffer => Buffer.from(`!${Buffer.byteLength(text)}\r\n${text}\r\n`),
  /** Those stand before the value that they are about. */
  attributes: (items: readonly Buffer[], value: Buffer): Buffer => Buffer.concat([many("|", items.length / 2, items), value]),
};

/** One entry as a read answers it. */
export function entryReply(
  id: string,
  pairs: readonly (string | Buffer)[] | null,
  claim?: { readonly idleMs: number; readonly count: number },
): Buffer {
  const fields = resp.list(pairs === null ? null : pairs.map(resp.string));
  const claimed = claim === undefined ? [] : [resp.integer(claim.idleMs), resp.integer(claim.count)];
  return resp.list([resp.string(id), fields, ...claimed]);
}

/** The reply to a read. */
export function readReply(streams: readonly (readonly [key: string, entries: readonly Buffer[]])[], protocol: 2 | 3 = 2): Buffer {
  if (protocol === 3) return resp.map(streams.flatMap(([key, entries]) => [resp.string(key), resp.list(entries)]));
  return resp.list(streams.map(([key, entries]) => resp.list([resp.string(key), resp.list(entries)])));
}

/** Cuts bytes into chunks at the places given. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const bounds = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).flatMap((end, index) => (end > bounds[index]! ? [bytes.subarray(bounds[index], end)] : []));
}
