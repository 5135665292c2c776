/** Something to wait at; it begins open. */
export interface Gate {
  /** Settles when the gate is open, which may be now. */
  readonly pass: () => Promise<void>;
  readonly shut: () => void;
  readonly open: () => void;
}

export function openGate(): Gate {
  let opened = Promise.resolve();
  let open: (() => void) | undefined;
  return {
    pass: () => opened,
    shut() {
      if (!open) opened = new Promise((resolve) => (open = resolve));
    },
    open() {
      open?.();
      open = undefined;
    },
  };
}
