import { createHash } from "node:crypto";
import {
  adoptSource,
  appendSource,
  checkpointSource,
  claimSource,
  confirmSource,
  countBeforeSource,
  deleteConsumerSource,
  destroyGroupSource,
  earlierSource,
  forwardSource,
  leaveSource,
  nextDueSource,
  prepareIdmpSource,
  pruneConsumersSource,
  redriveSource,
  renewSource,
  settleSource,
  takePermitsSource,
  takeSource,
  trimAckedSource,
} from "./scripts/sources.js";

/** A Lua script with the hash that EVALSHA wants. @internal */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** An argument of a command: text, or bytes as they are. @internal */
export type Argument = string | number | Buffer;

/** Sends one command. @internal */
export type Call = (command: string, ...args: Argument[]) => Promise<unknown>;

/** The library's scripts by name; the headers in `scripts/*.lua` say what each expects and answers. @internal */
export interface Scripts {
  readonly settle: Script;
  readonly take: Script;
  readonly renew: Script;
  readonly leave: Script;
  readonly adopt: Script;
  readonly nextDue: Script;
  readonly confirm: Script;
  readonly claim: Script;
  readonly earlier: Script;
  readonly forward: Script;
}

/** Hashes the scripts, once per connection. @internal */
export function loadScripts(): Scripts {
  return {
    settle: script(settleSource),
    take: script(takeSource),
    renew: script(renewSource),
    leave: script(leaveSource),
    adopt: script(adoptSource),
    nextDue: script(nextDueSource),
    confirm: script(confirmSource),
    claim: script(claimSource),
    earlier: script(earlierSource),
    forward: script(forwardSource),
  };
}

/** The script of readers without a group, hashed once per connection. @internal */
export const loadCheckpointScript = (): Script => script(checkpointSource);

/** The scripts of administration. @internal */
export interface AdminScripts {
  readonly deleteConsumer: Script;
  readonly destroyGroup: Script;
  readonly pruneConsumers: Script;
  readonly trimAcked: Script;
  readonly countBefore: Script;
  readonly redrive: Script;
}

/** Hashes the scripts of administration, once per connection. @internal */
export function loadAdminScripts(): AdminScripts {
  return {
    deleteConsumer: script(deleteConsumerSource),
    destroyGroup: script(destroyGroupSource),
    pruneConsumers: script(pruneConsumersSource),
    trimAcked: script(trimAckedSource),
    countBefore: script(countBeforeSource),
    redrive: script(redriveSource),
  };
}

/** The script behind shared limits. @internal */
export const loadPermitsScript = (): Script => script(takePermitsSource);
/** The scripts of producers. @internal */
export interface AppendScripts {
  readonly append: Script;
  readonly prepareIdmp: Script;
}

/** Hashes the scripts of producers, once per connection. @internal */
export function loadAppendScripts(): AppendScripts {
  return { append: script(appendSource), prepareIdmp: script(prepareIdmpSource) };
}

function script(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

/**
 * Runs a script: EVALSHA, and EVAL where the server does not have it (first use, restart, SCRIPT FLUSH, failover).
 * Never inside MULTI, where NOSCRIPT could not be answered.
 * @internal
 */
export async function runScript(call: Call, { sha, source }: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
  try {
    return await call("evalsha", sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw error;
    return call("eval", source, keys.length, ...keys, ...args);
  }
}
