const quoted = /, with args beginning with:.*/g;

/** What a server says of a command that it does not have, without the arguments that it quotes: they hold payloads. @internal */
export const withoutQuotes = (text: string): string => text.replace(quoted, "");
