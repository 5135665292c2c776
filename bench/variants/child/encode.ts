/** A command as Redis reads it (RESP). For the harness, which fills streams, and for the clients that have no library below them. */
export function encode(...words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
  return text;
}
