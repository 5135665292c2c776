import type { Observable } from "rxjs";
import type { SourceStatus } from "../model/status.js";
import type { StreamCommands, StreamHistory, StreamsPort } from "../redis/port.js";
import type { CreditLedger } from "./credit-ledger.js";
import type { DeliverySettings, GrouplessSettings } from "./delivery-settings.js";
import type { SourceSettings } from "./group-settings.js";
import type { SignsOfLife } from "./signs-of-life.js";
import type { KeepingLedger } from "./keeping-ledger.js";

/** The connection for what does not block. @internal */
export type Commands = Pick<StreamCommands, "broken" | "close">;

/** What the parts of one subscription to any source share. @internal */
export interface PlainSession<
  S extends DeliverySettings = DeliverySettings,
  L extends CreditLedger = CreditLedger,
  C extends Commands = Commands,
> {
  readonly port: StreamsPort;
  readonly commands: C;
  readonly ledger: L;
  readonly settings: S;
  readonly report: (status: SourceStatus) => void;
  readonly signs: SignsOfLife;
  /** Readers that were dropped and that the server may not have noticed yet. */
  readonly closing: Set<Observable<void>>;
}

/** What the parts of one subscription to a source of a group share. @internal */
export interface Session<S extends SourceSettings = SourceSettings> extends PlainSession<S, CreditLedger, StreamCommands> {
  readonly consumer: string;
  /** Streams whose groups this consumer may have a part in. */
  readonly joined: Set<string>;
}

/** What the parts of one subscription to a source without a group share. @internal */
export type GrouplessSession<S extends GrouplessSettings = GrouplessSettings> = PlainSession<S, KeepingLedger, StreamHistory>;
