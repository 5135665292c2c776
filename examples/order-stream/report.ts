/** The table a run ends with. */
import type { Account } from "./account.js";

const row = (name: string, count: number, note = ""): string => `  ${name.padEnd(18)}${String(count).padStart(6)}  ${note}`.trimEnd();

export function table(account: Account, shares: ReadonlyMap<string, number>): string {
  const { added, handled, repeated, retried, recovered, deadLettered, reasons, pending, unread, unaccounted } = account;
  return [
    "",
    "  Read back from Redis",
    row("added", added),
    row("handled", handled, `${repeated} of them more than once: delivery is at least once`),
    ...[...shares].sort().map(([worker, count]) => row("", count, `by ${worker}`)),
    row("  retried", retried, "failed, waited in Redis, and were tried again"),
    row("  recovered", recovered, "left behind by the killed worker, settled by the others"),
    row("dead-lettered", deadLettered),
    ...[...reasons].map(([reason, count]) => row("", count, reason)),
    row("pending", pending, pending > 0 ? "wait for their retry, or for the lease of who had them" : ""),
    row("unread", unread),
    row("unaccounted for", unaccounted.length, unaccounted.slice(0, 5).join(" ")),
    "",
  ].join("\n");
}
