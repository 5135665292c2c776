/**
 * MurmurHash3 x86 32-bit, seed 0, of the UTF-8 bytes of a text: a stable, well-known function with published test vectors, so
 * that other programs can tell where a key belongs.
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 * @internal
 */
export function murmur3(text: string): number {
  const bytes = toBytes(text);
  const length = written;
  const tail = length & ~3;
  let hash = 0;
  for (let at = 0; at < tail; at += 4) {
    const block = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash ^= scramble(block);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = length - 1; at >= tail; at -= 1) rest = (rest << 8) | bytes[at]!;
  return finish(hash ^ scramble(rest) ^ length);
}

/**
 * The lane of a key: `floor(murmur3(key) * lanes / 2^32)`, so it is decided by the high bits. A remainder would be decided by the
 * same bits as a partition that was chosen by remainder, and all keys of one partition would share a few lanes.
 * @internal
 */
export const laneOf = (key: string, lanes: number): number => Math.floor((murmur3(key) * lanes) / 2 ** 32);

const encoder = new TextEncoder();
/** Keys are short; one buffer serves them all. */
const scratch = new Uint8Array(1_024);
let written = 0;

/** The UTF-8 bytes of a text, `written` of them. */
function toBytes(text: string): Uint8Array {
  if (text.length * 3 <= scratch.length) {
    written = encoder.encodeInto(text, scratch).written;
    return scratch;
  }
  const bytes = encoder.encode(text);
  written = bytes.length;
  return bytes;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
