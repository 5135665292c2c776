/** The events of the tutorial: what they are, and what a producer with bugs makes of them. */
import { z } from "zod";

export const Event = z.discriminatedUnion("type", [
  z.object({ type: z.literal("user_signup"), username: z.string() }),
  z.object({ type: z.literal("purchase"), userId: z.string(), amount: z.number(), card: z.enum(["good", "busy", "stolen"]) }),
  z.object({ type: z.literal("page_view"), userId: z.string(), url: z.string() }),
]);
export type Event = z.infer<typeof Event>;

/** The payload of event number `n`. Of a hundred, two can't be decoded, two fail once and one fails whenever it is tried. */
export function payload(n: number): string {
  const userId = `user-${n % 250}`;
  switch (n % 100) {
    case 13:
      return '{"type":"purchase","userId":"us'; // cut off
    case 37:
      return JSON.stringify({ type: "page_view", userId }); // the url is missing
    case 51:
    case 52:
      return JSON.stringify({ type: "purchase", userId, amount: 10, card: "busy" } satisfies Event);
    case 77:
      return JSON.stringify({ type: "purchase", userId, amount: 10, card: "stolen" } satisfies Event);
  }
  return JSON.stringify(soundEvent(n, userId));
}

function soundEvent(n: number, userId: string): Event {
  if (n % 10 === 0) return { type: "user_signup", username: `name-${n}` };
  if (n % 3 === 0) return { type: "purchase", userId, amount: 5 + (n % 40), card: "good" };
  return { type: "page_view", userId, url: `/products/${n % 60}` };
}
