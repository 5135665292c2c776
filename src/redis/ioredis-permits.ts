import type { Observable } from "rxjs";
import { rateKey } from "../model/keys.js";
import type { Grant } from "../model/sliding-window.js";
import type { CommandConnection } from "./command-connection.js";
import { decodeCount, decodeList } from "./decode-reply.js";
import type { GroupRef, Outage, PermitRequest, StreamPermits } from "./port.js";
import { loadPermitsScript, type Script } from "./script.js";

/** Limits that consumers share, on a connection of their own. @internal */
export class IoredisPermits implements StreamPermits {
  readonly broken: Observable<Outage>;
  readonly #connection: CommandConnection;
  readonly #script: Script = loadPermitsScript();

  constructor(connection: CommandConnection) {
    this.#connection = connection;
    this.broken = connection.broken;
  }

  async take({ stream, group }: GroupRef, { key, limit: { limit, perMs, stepMs }, wanted }: PermitRequest): Promise<Grant> {
    const { toKey } = this.#connection;
    const window = key === undefined ? rateKey(toKey(stream), group, { limit, perMs }) : toKey(key);
    const reply = await this.#connection.run(this.#script, [window], [limit, perMs, stepMs, wanted]);
    const [granted, waitMs] = decodeList("take-permits.lua", reply);
    return { granted: decodeCount("take-permits.lua", granted), waitMs: decodeCount("take-permits.lua", waitMs) };
  }

  close(): void {
    this.#connection.close();
  }
}
