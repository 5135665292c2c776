import { z } from "zod";

/** What both pipelines check each entry with. */
export const OrderSchema = z.object({ orderId: z.string(), customer: z.string(), amount: z.coerce.number(), note: z.string() });
export type CheckedOrder = z.infer<typeof OrderSchema>;

/** What both pipelines do with an order: nothing, asynchronously. */
export async function ship(_order: CheckedOrder): Promise<void> {}
