/** Runs `action` at the first call and gives every later caller the same result. */
export function once<T>(action: () => T): () => T {
  let done: { readonly result: T } | undefined;
  return () => (done ??= { result: action() }).result;
}
