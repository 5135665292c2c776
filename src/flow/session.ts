import type { Observable } from "rxjs";
import type { SourceStatus } from "../model/status.js";
import type { StreamCommands, StreamsPort } from "../redis/port.js";
import type { CreditLedger } from "./credit-ledger.js";
import type { SourceSettings } from "./group-settings.js";
import type { SignsOfLife } from "./signs-of-life.js";

/** What the parts of one subscription to a source share. @internal */
export interface Session<S extends SourceSettings = SourceSettings> {
  readonly port: StreamsPort;
  readonly commands: StreamCommands;
  readonly ledger: CreditLedger;
  readonly settings: S;
  readonly consumer: string;
  readonly report: (status: SourceStatus) => void;
  /** Streams whose groups this consumer may have a part in. */
  readonly joined: Set<string>;
  readonly signs: SignsOfLife;
  /** Readers that were dropped and that the server may not have noticed yet. */
  readonly closing: Set<Observable<void>>;
}
