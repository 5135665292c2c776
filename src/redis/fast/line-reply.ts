const [error, longError] = ["-", "!"].map((type) => type.charCodeAt(0));

/** Whether it is an error, of RESP2 or RESP3. @internal */
export const isError = (reply: Buffer): boolean => reply[0] === error || reply[0] === longError;

/** What an error says, byte for byte a character. @internal */
export const errorText = (reply: Buffer): string => (reply[0] === error ? linesOf(reply)[0]!.slice(1) : textOf(reply));

/** A string of one line, byte for byte a character. @internal */
export const textOf = (reply: Buffer): string => linesOf(reply)[1]!;

const linesOf = (reply: Buffer): readonly string[] => reply.toString("latin1").split("\r\n", 2);
