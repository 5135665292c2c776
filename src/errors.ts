/**
 * Everything that can end a pipeline or become the cause of a dead letter. A closed union: switch on `_tag`, which also works
 * when two copies of the package are installed.
 * @public
 */
export type StreamsError =
  | WrongTypeError
  | AccessError
  | GroupMissingError
  | StreamMissingError
  | CommandError
  | ReplyError
  | DecodeError
  | HandlerTimeoutError
  | DeliveriesExhaustedError
  | BatchResultError;

/** Marks the classes below, so that a foreign error with a `_tag` is not mistaken for one. */
const family = "rxjs-redis-streams";

abstract class TaggedError extends Error {
  abstract readonly _tag: string;
  readonly family: string = family;

  constructor(name: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = name;
  }
}

/** The key holds something that is not a stream, or not what an effect needs. Ends the pipeline. @public */
export class WrongTypeError extends TaggedError {
  readonly _tag = "WrongTypeError";
  readonly retryable = false;
  constructor(what: string, cause: unknown, needed = "stream") {
    super("WrongTypeError", `${what} is not a ${needed}: use another name, or delete the key (TYPE shows what it is)`, cause);
  }
}

/** Redis refuses the user or the password, or the user may not run a command. Ends the pipeline. @public */
export class AccessError extends TaggedError {
  readonly _tag = "AccessError";
  readonly retryable = false;
  constructor(reply: string, cause: unknown) {
    super(
      "AccessError",
      `Redis denies access: ${reply}. Check the password, and the commands that docs/operations.md lists for the ACL`,
      cause,
    );
  }
}

/** The group is gone and `onMissingGroup` is `"fail"`. Ends the pipeline. @public */
export class GroupMissingError extends TaggedError {
  readonly _tag = "GroupMissingError";
  readonly retryable = false;
  constructor(stream: string, group: string, cause: unknown) {
    super(
      "GroupMissingError",
      `Group "${group}" of stream "${stream}" does not exist any more: create it, or use onMissingGroup: "recreate"`,
      cause,
    );
  }
}

/** There is no such stream and `onMissingStream` is `"fail"`. Ends the pipeline. @public */
export class StreamMissingError extends TaggedError {
  readonly _tag = "StreamMissingError";
  readonly retryable = false;
  constructor(stream: string) {
    super(
      "StreamMissingError",
      `Stream "${stream}" does not exist: create it, for instance with a group, or use onMissingStream: "create"`,
    );
  }
}

/** Redis refuses a command for a reason that another attempt can't change. Ends the pipeline. @public */
export class CommandError extends TaggedError {
  readonly _tag = "CommandError";
  readonly retryable = false;
  constructor(reply: string, cause: unknown) {
    super("CommandError", `Redis refuses the command: ${reply}`, cause);
  }
}

/** A reply has a shape that no known server gives. Ends the pipeline rather than guess. @public */
export class ReplyError extends TaggedError {
  readonly _tag = "ReplyError";
  readonly retryable = false;
  constructor(command: string, shape: string) {
    super("ReplyError", `The reply of ${command} has an unknown shape (${shape}): please report it with the server's version`);
  }
}

/** An entry could not be decoded; the cause of its dead letter. @public */
export class DecodeError extends TaggedError {
  readonly _tag = "DecodeError";
  readonly retryable = false;
  constructor(message: string, cause?: unknown) {
    super("DecodeError", message, cause);
  }
}

/** A handler was not through within `timeoutMs`; the cause of a retry or of a dead letter. @public */
export class HandlerTimeoutError extends TaggedError {
  readonly _tag = "HandlerTimeoutError";
  readonly retryable = true;
  readonly timeoutMs: number;
  constructor(timeoutMs: number) {
    super("HandlerTimeoutError", `The handler was not through after ${timeoutMs} ms (timeoutMs)`);
    this.timeoutMs = timeoutMs;
  }
}

/** An entry was delivered more often than its handler could have failed: it may be what kills its consumers. @public */
export class DeliveriesExhaustedError extends TaggedError {
  readonly _tag = "DeliveriesExhaustedError";
  readonly retryable = false;
  readonly deliveryCount: number;
  constructor(deliveryCount: number, maxDeliveries: number) {
    super(
      "DeliveriesExhaustedError",
      `Delivered ${deliveryCount} times, and allowed are ${maxDeliveries} (maxDeliveries): not handled again, it may be what ends its consumers`,
    );
    this.deliveryCount = deliveryCount;
  }
}

/** A handler of `batch` answered something else than a result per item; the cause of a retry or of a dead letter. @public */
export class BatchResultError extends TaggedError {
  readonly _tag = "BatchResultError";
  readonly retryable = false;
  constructor(expected: number, got: string) {
    super(
      "BatchResultError",
      `The handler of batch got ${expected} values and answered ${got}: expected a result for each, in order, or nothing`,
    );
  }
}

/**
 * Tells whether a value is one of this library's errors.
 * @example
 * ```ts
 * isStreamsError(new Error("other")); // => false
 * ```
 * @public
 */
export function isStreamsError(value: unknown): value is StreamsError {
  return value instanceof Error && (value as { family?: unknown }).family === family && "_tag" in value;
}
