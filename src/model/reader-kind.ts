import { oneOf } from "./check.js";

/**
 * How replies to reads are decoded. `"portable"`: by ioredis. `"fast"`: by a decoder of this package, which knows what such a reply looks
 * like, on the connections that ioredis makes. `"auto"`: fast where ioredis is built as is known, else portable.
 * @public
 */
export type ReaderKind = "auto" | "fast" | "portable";

/** @internal */
export const readerKind = (reader: ReaderKind = "auto"): ReaderKind => oneOf<ReaderKind>("reader", reader, ["auto", "fast", "portable"]);
