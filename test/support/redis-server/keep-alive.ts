/** Waits for `pending` with the event loop held open, which handles that are unreferenced do not do. */
export async function keepAlive<T>(pending: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, 2 ** 30);
  try {
    return await pending;
  } finally {
    clearInterval(hold);
  }
}
