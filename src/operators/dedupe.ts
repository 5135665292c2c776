import { defer, finalize, type OperatorFunction } from "rxjs";
import { CommandError } from "../errors.js";
import { checkRepeats } from "../flow/check-repeats.js";
import { ClaimBook, HeldClaim, type ClaimTerms } from "../flow/claim-book.js";
import { claimName } from "../flow/claim-name.js";
import { tracked } from "../flow/tracked.js";
import { callable, durationMs, integer, text } from "../model/check.js";
import { holdersOf } from "../model/claim.js";
import type { Delivery } from "../model/delivery.js";
import { dedupePrefix, streamName, type DedupeScope } from "../model/keys.js";
import { settle, type Flow } from "../model/settlement.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";
import type { StreamsPort } from "../redis/port.js";

/** Options of {@link dedupe}. @public */
export interface DedupeOptions<A> {
  /** What makes two entries the same. Throwing, or returning no text, settles the delivery as a dead letter. */
  readonly key: (value: A, delivery: Delivery<A>) => string;
  /** How long a key that was handled is known, ms, 1 or more: longer than any repeat is late. */
  readonly ttlMs: number;
  /**
   * Who must not handle a key twice: this `"group"` of this stream; all groups of this `"stream"`; or all that name the same scope,
   * across streams - which in a Cluster must lie in its slot: scope `payments` for streams such as `{payments}:eu`.
   * @defaultValue `"group"`
   */
  readonly scope?: string | undefined;
  /** How long the claim of a consumer that died keeps its key from other entries; ms, 300 or more. @defaultValue `30_000` */
  readonly claimMs?: number | undefined;
  /** How long a repeat of what is being handled is set aside before it is looked at again; ms, 1 or more. @defaultValue `1_000` */
  readonly waitMs?: number | undefined;
  /** How many keys that were handled are remembered in this process, too; 0 to 10 000 000. @defaultValue `10_000` */
  readonly maxLocal?: number | undefined;
}

/**
 * Lets one entry of each key pass; a repeat of what was handled is acknowledged and goes no further.
 *
 * ```text
 * source  --a1--b1--a2-----a2'--      a2 has the key of a1, which is still being handled
 * result  --a1--b1--r------d----      r: handed back for waitMs; d: settled as acknowledged, reason "duplicate"
 * ```
 *
 * **Guarantee** in two phases. A delivery that passes has claimed its key; the key is done in the same atomic step in which its
 * acknowledgement is carried out, so a process killed before that has not handled it: the entry is delivered again, finds its own
 * claim and passes. A retry, dead letter or release gives the claim back in its own atomic step: what failed is not done, and another
 * entry of the key may pass. A repeat of what is being handled, here or elsewhere, is never acknowledged before that is done: it is
 * handed back for `waitMs`, its delivery count unchanged. A claim is renewed while its delivery is unsettled; the claim of a process that
 * died holds off other entries of its key for `claimMs`. Effects outside of Redis can still happen twice: a crash after them and
 * before the acknowledgement can't be told from one before.
 * **Order** kept. **Backpressure** what waits for an answer is bounded by the source's credit; what arrives in one loop, or a few
 * at a time during a question, is asked for together. **Teardown** closes its connection; claims of what was in flight lapse.
 *
 * Sends EVALSHA (EVAL on first use) with GET, SET, PTTL, PEXPIRE; the sink SET, or GET and DEL. A key is a string
 * `{orders}:dedupe:group:shipping:…`, 140 to 200 bytes for `ttlMs`; keys above 128 characters are hashed.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @returns an operator that errors only with what can't heal: `AccessError`, `WrongTypeError`, `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * source.pipe(
 *   decode(Order),
 *   dedupe(redis, { key: (order) => order.orderId, ttlMs: 86_400_000 }),
 *   retryToDLQ(ship, { maxDeliveries: 5 }),
 *   bufferAck(),
 *   acknowledge(redis),
 * );
 * ```
 * @public
 */
export function dedupe<A>(redis: RedisClient, options: DedupeOptions<A>): OperatorFunction<Flow<A>, Flow<A>> {
  const { key, ttlMs, scope = "group", claimMs = 30_000, waitMs = 1_000, maxLocal = 10_000 } = options;
  callable("key", key);
  integer("ttlMs", ttlMs, 1);
  durationMs("claimMs", claimMs, 300);
  integer("waitMs", waitMs, 1);
  integer("maxLocal", maxLocal, 0, 10_000_000);
  const place = toScope(scope);
  const port = toPort(redis);
  const check: OperatorFunction<Flow<A>, Flow<A>> = (source) =>
    defer(() => {
      const commands = port.openCommands();
      const book = new ClaimBook(maxLocal);
      const terms = new Terms(port, { book, scope: place, ttlMs });
      const wish = (delivery: Delivery<A>): HeldClaim | Flow<A> => {
        const common = terms.of(delivery);
        try {
          return new HeldClaim(common, delivery, claimName(key(delivery.value, delivery)));
        } catch (error) {
          return settle.deadLetter(delivery, error);
        }
      };
      return source.pipe(
        checkRepeats({ commands, book, wish, claimMs, waitMs }),
        finalize(() => commands.close()),
      );
    });
  return tracked("dedupe", check);
}

function toScope(scope: string): DedupeScope {
  text("scope", scope);
  return scope === "group" || scope === "stream" ? { _tag: scope } : { _tag: "shared", name: streamName("scope", scope) };
}

/** What the claims of a stream and group have in common, made once each. */
class Terms {
  readonly #port: StreamsPort;
  readonly #common: Pick<ClaimTerms, "book" | "scope" | "ttlMs">;
  readonly #known = new Map<string, ClaimTerms>();
  readonly #marks = new Map<string, string>();
  #latest: readonly [stream: string, group: string, terms: ClaimTerms] | undefined;

  constructor(port: StreamsPort, common: Pick<ClaimTerms, "book" | "scope" | "ttlMs">) {
    this.#port = port;
    this.#common = common;
  }

  of({ stream, group }: Delivery<unknown>): ClaimTerms {
    if (this.#latest?.[0] === stream && this.#latest[1] === group) return this.#latest[2];
    if (group === undefined) throw new TypeError("Expected deliveries of a group before `dedupe`: only an acknowledgement can mark a key");
    const id = `${stream}\n${group}`;
    const terms = this.#known.get(id) ?? this.#make(stream, group);
    this.#known.set(id, terms);
    this.#latest = [stream, group, terms];
    return terms;
  }

  #make(stream: string, group: string): ClaimTerms {
    this.#refuseOtherSlot(stream);
    return { ...this.#common, mark: this.#markOf(dedupePrefix(this.#common.scope, stream, group)), holderOf: holdersOf(stream, group) };
  }

  /** What keys begin with in the book: short, and nothing for the first. */
  #markOf(prefix: string): string {
    const known = this.#marks.get(prefix);
    if (known !== undefined) return known;
    const mark = this.#marks.size === 0 ? "" : String(this.#marks.size);
    this.#marks.set(prefix, mark);
    return mark;
  }

  #refuseOtherSlot(stream: string): void {
    const { scope } = this.#common;
    if (scope._tag !== "shared" || this.#port.placeOf(scope.name) === this.#port.placeOf(stream)) return;
    const tag = /\{([^}]+)\}/.exec(scope.name)?.[1] ?? scope.name;
    throw new CommandError(
      `scope "${scope.name}" of dedupe lies in another Cluster slot than stream "${stream}", and one script writes to both. Streams that share this scope have to be named "{${tag}}:…"`,
      undefined,
    );
  }
}
