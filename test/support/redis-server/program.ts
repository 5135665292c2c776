/** A server program of this machine, not running yet. */
export interface Program {
  /** The executable and the arguments that come before the server's own. */
  readonly command: readonly [file: string, ...args: string[]];
  /** Where it was found, as the end of a sentence: "at …", "unpacked from …". */
  readonly origin: string;
}
