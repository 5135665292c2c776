import { entryReply, readReply, resp } from "./resp.js";

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 up to, not including, `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  /** Once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<A>(choices: readonly A[]): A {
    return choices[this.below(choices.length)]!;
  }

  list<A>(most: number, make: (index: number) => A): A[] {
    return Array.from({ length: this.below(most + 1) }, (_, index) => make(index));
  }
}

const texts = [
  "",
  "a",
  "order-1000042",
  "näme",
  "✓",
  "🎈🎈",
  "$5\r\nhello\r\n",
  "*-1\r\n",
  "-ERR no",
  "\r\n",
  "x".repeat(90),
  "ü".repeat(300),
];
const noText = [[0xff], [0xe2, 0x82], [0xf0, 0x9f], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80, 0x41, 0xff], [0xef, 0xbb, 0xbf]].map((bytes) =>
  Buffer.from(bytes),
);
const names = ["n", "name", "orderId", "näme", "", "payload", "x".repeat(70)];

const noise = randomBytes(new Chance(0), 65_536);

function randomBytes(chance: Chance, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => chance.below(256)));
}

function valueOf(chance: Chance): Buffer {
  if (chance.once(4_000)) return Buffer.alloc(70_000 + chance.below(200_000), chance.pick(["a", "ü"]));
  if (chance.once(4)) {
    const from = chance.below(noise.length);
    return noise.subarray(from, from + chance.below(700));
  }
  return chance.once(5) ? chance.pick(noText) : Buffer.from(chance.pick(texts));
}

function entryOf(chance: Chance, claims: boolean): Buffer {
  const known = chance.below(3); // mostly the same names in the same places
  const pairs = chance.list(5, (index) => [
    Buffer.from(chance.once(9) ? chance.pick(names) : names[(index + known) % 3]!),
    valueOf(chance),
  ]);
  const id = `${1_700_000_000_000 + chance.below(1e9)}-${chance.below(1_000)}`;
  const claim = claims ? { idleMs: chance.pick([0, 0, 1, 60_000]), count: chance.below(5) } : undefined;
  return entryReply(id, chance.once(12) ? null : pairs.flat(), claim);
}

/** Anything at all that a server might say. */
function anything(chance: Chance, protocol: 2 | 3, depth = 0): Buffer {
  const items = (): Buffer[] => chance.list(3, () => anything(chance, protocol, depth + 1));
  const both = [
    () => resp.string(valueOf(chance)),
    () => resp.integer(chance.below(1e9) - 5e8),
    () => resp.simple("OK"),
    () => resp.string(null),
    () => resp.list(null),
    () => resp.list(depth > 3 ? [] : items()),
    () => readReply([["a", [resp.list([resp.string("1-0"), ...items()])]]], protocol),
  ];
  const newer = [
    resp.nothing,
    () => resp.boolean(chance.once(2)),
    () => resp.verbatim("text"),
    () => resp.bigNumber("12345678901234567890"),
  ];
  return chance.pick(protocol === 3 ? [...both, ...newer] : both)();
}

/** A reply to a read: mostly one that it should be. */
export function replyToRead(chance: Chance, claims: boolean, protocol: 2 | 3): Buffer {
  if (chance.once(12))
    return resp.error(chance.pick(["NOGROUP No such key", "UNBLOCKED client unblocked", "WRONGTYPE Operation", "LOADING"]));
  if (chance.once(12)) return chance.pick([resp.list(null), resp.string(null), ...(protocol === 3 ? [resp.nothing()] : [])]);
  if (chance.once(12)) return anything(chance, protocol);
  const isOdd = chance.once(20);
  const keys = ["orders", "{a}:b", "übung"].slice(0, 1 + chance.below(3));
  return readReply(
    keys.map((key) => [key, chance.list(6, () => entryOf(chance, claims !== isOdd))]),
    protocol,
  );
}

/** A reply to any other command, an error now and then. */
export function replyToOther(chance: Chance, protocol: 2 | 3): Buffer {
  return chance.once(5) ? resp.error("ERR no") : anything(chance, protocol);
}
