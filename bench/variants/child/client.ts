import type { Redis } from "ioredis";
import { job } from "./job.js";

/** A connection by the package that the job names; ioredis 5 and iovalkey have the same methods as ioredis 6. */
export async function connect(): Promise<Redis> {
  const { Redis: Client } = (await import(job.client)) as { readonly Redis: new (url: string) => Redis };
  return new Client(job.url);
}

/** What XREADGROUP answers through ioredis. */
export type Reply = readonly (readonly [stream: string, page: readonly (readonly [id: string, fields: readonly string[]])[]])[] | null;
