import { classifyError } from "./classify-error.js";

/** What XINFO and XGROUP say, without a code of its own, of a stream that is missing. */
const noStream = /no such key|requires the key to exist/;

/** Decodes a reply, or answers something else when the stream or the group does not exist. @internal */
export async function orWhenMissing<A>(reply: Promise<unknown>, decode: (reply: unknown) => A, missing: A): Promise<A> {
  try {
    return decode(await reply);
  } catch (error) {
    if (error instanceof Error && (noStream.test(error.message) || isNoGroup(error))) return missing;
    throw error;
  }
}

const isNoGroup = (error: Error): boolean => classifyError(error, { stream: "", group: "" })._tag === "missingGroup";
