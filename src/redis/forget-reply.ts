/**
 * Empties a reply whose content was taken out of it. ioredis' command has it, and is kept for long enough to become old: what an old object
 * refers to lives until the old generation is collected, done with or not. A third of what was read was copied because of that.
 * @internal
 */
export function forgetReply(reply: unknown): void {
  if (Array.isArray(reply)) reply.length = 0;
  else if (reply instanceof Map) reply.clear();
  else if (typeof reply === "object" && reply !== null) for (const key of Object.keys(reply)) Reflect.deleteProperty(reply, key);
}
