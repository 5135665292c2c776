import { withoutQuotes } from "../model/quoted-arguments.js";
import { AccessError, CommandError, GroupMissingError, isStreamsError, WrongTypeError } from "../errors.js";

/**
 * What an error of a command means for a pipeline. `transient` heals by itself: another attempt is worth it, for ever.
 * @internal
 */
export type Verdict =
  { readonly _tag: "transient" } | { readonly _tag: "missingGroup" } | { readonly _tag: "fatal"; readonly error: Error };

const transient: Verdict = { _tag: "transient" };

/** What a script (before 7.0) and ioredis' Cluster put in front of a server's error. */
const wrapping = /^.*(?:@user_script: ?\d+: |Last error: (?:\w*Error: )?)/s;

const codeOf = (message: string): string | undefined => /^-?([A-Z]{3,})\b/.exec(message.replace(wrapping, ""))?.[1];

/** What an ACL's refusal inside a script looks like: Redis 7.0 gives it the code ERR, later servers put it in words of their own. */
const denied = /can't run this command|can't access at least one of the keys|ACL failure in script/i;

/** Errors with the code ERR whose cause is the call and not the moment. */
const misuse =
  /unknown (?:redis )?command|syntax error|wrong number of arguments|Invalid stream ID|value is not an integer|would overflow|unknown subcommand/i;

/** @internal */
export function classifyError(error: unknown, about: { readonly stream: string; readonly group: string }): Verdict {
  if (isStreamsError(error)) return { _tag: "fatal", error };
  if (error instanceof TypeError || error instanceof RangeError) return { _tag: "fatal", error }; // a bug, of ours or of a policy: it will not heal
  if (!(error instanceof Error)) return transient;
  if (denied.test(error.message)) return fatal(new AccessError(error.message, withoutArguments(error)));
  switch (codeOf(error.message)) {
    case "NOGROUP":
      return { _tag: "missingGroup" };
    case "WRONGTYPE":
      return fatal(wrongType(error, about.stream));
    case "NOPERM":
    case "NOAUTH":
    case "WRONGPASS":
      return fatal(new AccessError(error.message, withoutArguments(error)));
    case "CROSSSLOT":
      return fatal(new CommandError(error.message, withoutArguments(error)));
    case "ERR":
      return misuse.test(error.message) ? fatal(new CommandError(error.message, withoutArguments(error))) : transient;
    default: // connection trouble, LOADING, READONLY, MASTERDOWN, CLUSTERDOWN, TRYAGAIN, MOVED, UNBLOCKED, NOREPLICAS, OOM, BUSY …
      return transient;
  }
}

/** The settle script says which key it is. */
function wrongType(error: Error, stream: string): WrongTypeError {
  const [, key, needed] = /WRONGTYPE (.+) is a \w+, and \w+ needs a (\w+)/s.exec(error.message) ?? [];
  return new WrongTypeError(key === undefined ? `A key that belongs to "${stream}"` : `The key "${key}"`, withoutArguments(error), needed);
}

/** @internal */
export const missingGroup = (ref: { readonly stream: string; readonly group: string }, cause: unknown): GroupMissingError =>
  new GroupMissingError(ref.stream, ref.group, cause);

const fatal = (error: Error): Verdict => ({ _tag: "fatal", error });

/** An ioredis error carries the whole command, payloads included; what is shown and kept must not. */
export function withoutArguments(error: Error): Error {
  const bare = new Error(withoutQuotes(error.message));
  bare.name = error.name;
  return bare;
}

/** An error as it may be passed on from a connection, to whom it may be shown. @internal */
export function bare(error: unknown): unknown {
  return error instanceof Error && ("command" in error || "lastNodeError" in error) ? withoutArguments(error) : error;
}
