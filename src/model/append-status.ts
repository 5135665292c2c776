/** What keeps a producer from adding entries, or that it goes on. None of it is an error: it is tried again until it is done. @public */
export type AppendStatus =
  /** Entries are added again, after trouble. */
  | { readonly _tag: "appending" }
  /** Redis is out of reach; the next attempt is made in `delayMs`. What was sent and not answered is sent again. */
  | { readonly _tag: "reconnecting"; readonly attempt: number; readonly delayMs: number; readonly cause: unknown }
  /** Redis refuses for the moment, for example because it is out of memory; the next attempt is made in `delayMs`. */
  | {
      readonly _tag: "hindered";
      readonly stream: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly cause: unknown;
    };
