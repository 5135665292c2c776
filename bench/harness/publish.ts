import type { Results } from "./results.js";
export function publish(_results: Results, _docs: string): void {}
