import { isUtf8 } from "node:buffer";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { text } from "../model/check.js";
import type { BinaryFields, Fields } from "../model/fields.js";

/**
 * A codec for `decode`: reads one field as JSON, and the result with a schema if there is one. With `payload: "buffer"` bytes that
 * are no UTF-8 are no JSON; as text they would be replaced without a word.
 *
 * @param field - the name of the field
 * @param schema - any Standard Schema, asynchronous ones included; without it the value is `unknown`
 * @throws TypeError or RangeError at call time when `field` is no name
 * @example
 * ```ts
 * source.pipe(decode(json("payload", z.object({ userId: z.string() }))));
 * ```
 * @public
 */
export function json(field: string): StandardSchemaV1<Fields | BinaryFields, unknown>;
export function json<A>(field: string, schema: StandardSchemaV1<unknown, A>): StandardSchemaV1<Fields | BinaryFields, A>;
export function json(field: string, schema?: StandardSchemaV1<unknown, unknown>): StandardSchemaV1<Fields | BinaryFields, unknown> {
  text("field", field);
  const validate = (fields: unknown): StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>> => {
    const source = (fields as Fields | BinaryFields)[field];
    if (source === undefined) return failure(field, "the field is missing");
    if (typeof source !== "string" && !isUtf8(source)) return failure(field, "the bytes are no UTF-8");
    try {
      const value: unknown = JSON.parse(source.toString());
      return schema === undefined ? { value } : schema["~standard"].validate(value);
    } catch (error) {
      return failure(field, error instanceof Error ? error.message : String(error));
    }
  };
  return { "~standard": { version: 1, vendor: "rxjs-redis-streams", validate } };
}

const failure = (field: string, message: string): StandardSchemaV1.FailureResult => ({ issues: [{ message, path: [field] }] });
