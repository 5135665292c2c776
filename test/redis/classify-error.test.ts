import { describe, expect, it } from "vitest";
import { DecodeError, GroupMissingError, isStreamsError, WrongTypeError } from "../../src/errors.js";
import { classifyError, missingGroup, withoutArguments } from "../../src/redis/classify-error.js";

const about = { stream: "orders", group: "shipping" };

/** `"transient"`, `"missingGroup"`, or the tag of what ends the pipeline. */
function verdictOf(message: string): string {
  const verdict = classifyError(Object.assign(new Error(message), { name: "ReplyError" }), about);
  return verdict._tag === "fatal" ? (isStreamsError(verdict.error) ? verdict.error._tag : verdict.error.name) : verdict._tag;
}

/** How servers and ioredis wrap what they say. */
const wrappings: readonly (readonly [string, (message: string) => string])[] = [
  ["as it is", (message) => message],
  ["in a script, since Redis 7", (message) => `${message} script: b56e85a39a7b00694dd9b561a610e40301c7733a, on @user_script:24.`],
  [
    "in a script, before Redis 7",
    (message) => `ERR Error running script (call to f_b56e85a39a7b00694dd9b561a610e40301c7733a): @user_script:24: ${message}`,
  ],
  ["by ioredis' Cluster", (message) => `Too many Cluster redirections. Last error: ReplyError: ${message}`],
];

describe("classifyError", () => {
  describe.each(wrappings)("%s", (_, wrap) => {
    it.each([
      ["NOGROUP No such key 'orders' or consumer group 'shipping' in XREADGROUP with GROUP option", "missingGroup"],
      ["NOGROUP No such consumer group 'shipping' for key name 'orders'", "missingGroup"],
      ["NOGROUP the consumer group this client was blocked on no longer exists", "missingGroup"],
      ["WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
      ["NOPERM this user has no permissions to run the 'xreadgroup' command", "AccessError"],
      ["NOPERM No permissions to access a key", "AccessError"],
      ["NOAUTH Authentication required.", "AccessError"],
      ["WRONGPASS invalid username-password pair or user is disabled.", "AccessError"],
      ["CROSSSLOT Keys in request don't hash to the same slot", "CommandError"],
      ["UNBLOCKED the stream key no longer exists", "transient"],
      ["UNBLOCKED client unblocked via CLIENT UNBLOCK", "transient"],
      ["UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", "transient"],
      ["OOM command not allowed when used memory > 'maxmemory'.", "transient"],
      ["READONLY You can't write against a read only replica.", "transient"],
      ["LOADING Redis is loading the dataset in memory", "transient"],
      ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "transient"],
      ["CLUSTERDOWN The cluster is down", "transient"],
      ["CLUSTERDOWN Hash slot not served", "transient"],
      ["TRYAGAIN Multiple keys request during rehashing of slot", "transient"],
      ["MOVED 3999 127.0.0.1:6381", "transient"],
      ["ASK 3999 127.0.0.1:6381", "transient"],
      ["NOREPLICAS Not enough good replicas to write.", "transient"],
      ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "transient"],
      ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", "transient"],
    ])("%s → %s", (message, expected) => expect(verdictOf(wrap(message))).toBe(expected));
  });

  it.each([
    "ERR unknown command 'XREADGROUP', with args beginning with: 'group' 'shipping' ",
    "ERR unknown command `xautoclaim`, with args beginning with: `orders`, ",
    "ERR syntax error",
    "ERR wrong number of arguments for 'xack' command",
    "ERR Invalid stream ID specified as stream command argument",
    "ERR value is not an integer or out of range",
    "ERR unknown subcommand 'create'. Try XGROUP HELP.",
  ])("ends the pipeline for a call that will never be right: %s", (message) => expect(verdictOf(message)).toBe("CommandError"));

  // as Redis 7.0.15 says it: a script may not run what its user may not, and the code is ERR
  it("takes a command that an ACL refuses inside a script for refused access", () => {
    expect(
      verdictOf("ERR The user executing the script can't run this command or subcommand script: 67ed14c1cb08, on @user_script:1."),
    ).toBe("AccessError");
    expect(verdictOf("ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 67ed14c1cb08, on @user_script:1.")).toBe("AccessError"); // prettier-ignore
  });

  it("ends the pipeline for a command that a server does not have inside a script", () => {
    expect(verdictOf("ERR Unknown Redis command called from script script: 206396248e12, on @user_script:1.")).toBe("CommandError");
  });

  it.each([
    "Connection is closed.",
    "connect ECONNREFUSED 127.0.0.1:6379",
    "getaddrinfo ENOTFOUND redis",
    "read ECONNRESET",
    "Socket timeout. Expecting data, but didn't receive any in 15000ms.",
    "Command timed out",
    "Failed to refresh slots cache.",
    "None of startup nodes is available",
    "All sentinels are unreachable. Retrying from scratch after 10ms.",
    'Reached the max retries per request limit (which is 20). Refer to "maxRetriesPerRequest" option for details.',
    "ERR max number of clients reached",
    "ERR something new",
    "",
  ])("goes on after trouble that heals: %s", (message) => expect(verdictOf(message)).toBe("transient"));

  it.each([undefined, null, "NOPERM", { message: "NOPERM" }])("goes on after what is no error: %j", (thrown) => {
    expect(classifyError(thrown, about)).toEqual({ _tag: "transient" });
  });

  it("does not take a code in the middle of a sentence for the code", () => {
    expect(verdictOf("READONLY there was a WRONGTYPE before")).toBe("transient");
    expect(verdictOf("Something said NOPERM to me")).toBe("transient");
  });

  it("passes the library's own errors on as they are", () => {
    const error = new DecodeError("x");
    expect(classifyError(error, about)).toEqual({ _tag: "fatal", error });
  });

  it("keeps nothing of a command's arguments: they hold payloads and passwords", () => {
    const thrown = Object.assign(new Error("WRONGTYPE wrong"), { name: "ReplyError", command: { name: "xadd", args: ["secret"] } });
    const verdict = classifyError(thrown, about);
    const { cause } = (verdict as unknown as { error: WrongTypeError }).error;
    expect(cause).toMatchObject({ name: "ReplyError", message: "WRONGTYPE wrong" });
    expect(JSON.stringify(cause, Object.getOwnPropertyNames(cause))).not.toContain("secret");
    expect(cause).not.toHaveProperty("command");
  });

  it("says which stream is not one", () => {
    const verdict = classifyError(new Error("WRONGTYPE wrong"), about) as unknown as { error: WrongTypeError };
    expect(verdict.error.message).toContain('A key that belongs to "orders" is not a stream');
  });
});

describe("missingGroup", () => {
  it("names group and stream", () => {
    const cause = new Error("NOGROUP");
    expect(missingGroup(about, cause)).toEqual(new GroupMissingError("orders", "shipping", cause));
  });
});

describe("withoutArguments", () => {
  it("keeps name and message", () => {
    const bare = withoutArguments(Object.assign(new Error("WRONGTYPE"), { name: "ReplyError", command: { args: ["secret"] } }));
    expect([bare.name, bare.message, "command" in bare]).toEqual(["ReplyError", "WRONGTYPE", false]);
  });

  it("ends the pipeline for a bug, which another attempt would meet again", () => {
    for (const bug of [new TypeError("x is not a function"), new RangeError("Invalid array length")]) {
      expect(classifyError(bug, about)).toEqual({ _tag: "fatal", error: bug });
    }
  });
});
