const firstMs = 50;
const mostMs = 5_000;

/** How long to wait before attempt `attempt` (1 or more) to reach Redis: doubling, half of it jitter. @internal */
export function reconnectDelayMs(attempt: number): number {
  const delayMs = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 10));
  return Math.round(delayMs * (0.5 + Math.random() / 2));
}
