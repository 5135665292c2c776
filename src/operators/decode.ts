import { inspect } from "node:util";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Either } from "fp-ts/lib/Either.js";
import { map, pipe, type OperatorFunction } from "rxjs";
import { DecodeError } from "../errors.js";
import { isPromise } from "../flow/handler-result.js";
import { inOrder } from "../flow/in-order.js";
import { tracked } from "../flow/tracked.js";
import type { Delivery } from "../model/delivery.js";
import { disown } from "../model/disown.js";
import { settle, type Flow } from "../model/settlement.js";

/**
 * How to read a value: any Standard Schema (zod, valibot, arktype …), or a function that answers an fp-ts `Either`.
 * @typeParam I - what it reads, `Fields` right behind a source
 * @public
 */
export type Codec<I, A> = StandardSchemaV1<unknown, A> | ((value: I) => Either<unknown, A>);

/**
 * Reads the value of each delivery as what it should be; one that can't be read becomes a dead letter with the reason.
 *
 * ```text
 * source   --a--b--x--c--|
 * result   --A--B--✗--C--|      ✗ settled as a dead letter, cause DecodeError
 * ```
 *
 * **Guarantee** a bad entry never errors the pipeline and is never lost: its raw fields are in the dead letter. A codec that
 * throws, rejects or answers `Left` is a failed read, too. **Order** kept, also with an asynchronous schema.
 * **Backpressure** what waits for an asynchronous schema is bounded by the source's credit. **Teardown** nothing of its own.
 *
 * @param codec - see {@link Codec}; `json("payload", schema)` makes one for JSON in a field
 * @throws TypeError at call time when it is neither a Standard Schema nor a function
 * @example
 * ```ts
 * const Order = z.object({ orderId: z.string(), amount: z.coerce.number() });
 * source.pipe(decode(Order), retryToDLQ((order) => charge(order.amount), { maxDeliveries: 5 }), acknowledge(redis));
 * ```
 * @public
 */
export function decode<I, A>(codec: Codec<I, A>): OperatorFunction<Flow<I>, Flow<A>> {
  const read = reader(codec);
  return tracked(
    "decode",
    pipe(
      map((item: Flow<I>) => (item._tag === "Settled" ? item : read(item))),
      inOrder(),
    ),
  );
}

type Read<I, A> = (delivery: Delivery<I>) => Flow<A> | PromiseLike<Flow<A>>;

function reader<I, A>(codec: Codec<I, A>): Read<I, A> {
  const validate = validator(codec);
  return (delivery) => {
    try {
      const result = validate(delivery.value);
      if (!isPromise(result)) return conclude(delivery, result);
      return Promise.resolve(result).then(
        (late) => conclude(delivery, late),
        (error: unknown) => reject(delivery, error),
      );
    } catch (error) {
      return reject(delivery, error);
    }
  };
}

type Validation<A> = StandardSchemaV1.Result<A>;

function validator<I, A>(codec: Codec<I, A>): (value: I) => Validation<A> | Promise<Validation<A>> {
  const schema = (codec as StandardSchemaV1<unknown, A> | undefined)?.["~standard"];
  if (schema !== undefined) return (value) => schema.validate(value);
  if (typeof codec !== "function") throw new TypeError("Expected `codec` to be a Standard Schema or a function that returns an Either");
  return (value) => {
    const either = codec(value);
    if (either._tag === "Right") return { value: either.right };
    disown(either);
    throw either.left;
  };
}

function conclude<A>(delivery: Delivery<unknown>, result: Validation<A>): Flow<A> {
  if (result.issues === undefined) return delivery.map(() => result.value);
  return settle.deadLetter(delivery, new DecodeError(result.issues.map(describe).join("; "), result.issues));
}

function reject(delivery: Delivery<unknown>, error: unknown): Flow<never> {
  return settle.deadLetter(delivery, new DecodeError(error instanceof Error ? error.message : textOf(error), error));
}

function describe({ path = [], message }: StandardSchemaV1.Issue): string {
  const place = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
  return place === "" ? message : `${place}: ${message}`;
}

const textOf = (left: unknown): string => (typeof left === "string" ? left : inspect(left));
