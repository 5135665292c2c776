/** Arguments of a server that keeps nothing on disk. */
export const volatile = ["--save", "", "--appendonly", "no"] as const;
