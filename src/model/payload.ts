import type { BinaryFields, Fields } from "./fields.js";

/** How the names and values of entries are read: as UTF-8 text, or as the bytes they are. @public */
export type Payload = "string" | "buffer";

/** The value of a delivery as it comes from a source, by payload. @public */
export interface PayloadFields {
  readonly string: Fields;
  readonly buffer: BinaryFields;
}
