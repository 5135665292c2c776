import type { Job } from "./job.js";

/** What a process measured, by name; the harness takes medians of each. */
export type Figures = Readonly<Record<string, number>>;

interface Mark {
  readonly at: number;
  readonly done: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly heap: number;
}

/**
 * Counts what Redis has confirmed. The clock starts when `warmUp` entries are confirmed and stops when all are, so what is measured
 * is whole: read, handled and acknowledged.
 */
export class Stopwatch {
  /** Resolves when everything is confirmed. */
  readonly done: Promise<Figures>;
  readonly #job: Pick<Job, "entries" | "warmUp" | "heapSamples">;
  #confirmed = 0;
  #start: Mark | undefined;
  #peakHeap = 0;
  #sampleAt = Infinity;
  #finish!: (figures: Figures) => void;

  constructor(job: Pick<Job, "entries" | "warmUp" | "heapSamples">) {
    this.#job = job;
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Whether all entries are confirmed. */
  get over(): boolean {
    return this.#confirmed >= this.#job.entries;
  }

  confirmed(count: number): void {
    const { entries, warmUp } = this.#job;
    const before = this.#confirmed;
    this.#confirmed += count;
    if (this.#confirmed >= this.#sampleAt) this.#sampleHeap();
    if (this.#start === undefined && this.#confirmed >= warmUp) this.#begin();
    if (before < entries && this.over) this.#end();
  }

  #begin(): void {
    const heap = this.#job.heapSamples > 0 ? heapInUse() : 0;
    this.#peakHeap = heap;
    this.#start = { done: this.#confirmed, heap, cpu: process.cpuUsage(), at: performance.now() };
    this.#nextSample();
  }

  #sampleHeap(): void {
    this.#peakHeap = Math.max(this.#peakHeap, heapInUse());
    this.#nextSample();
  }

  #nextSample(): void {
    const { entries, warmUp, heapSamples } = this.#job;
    if (heapSamples > 0) this.#sampleAt = this.#confirmed + (entries - warmUp) / heapSamples;
  }

  #end(): void {
    const { at, done, cpu, heap } = this.#start!;
    const ms = performance.now() - at;
    const { user, system } = process.cpuUsage(cpu);
    const measured = this.#confirmed - done;
    if (measured === 0) throw new Error("All entries were confirmed at once, so there was no time to measure: ask for more");
    const speed = { perSecond: (measured / ms) * 1000, cpuUs: (user + system) / measured };
    const memory = { heapMB: this.#peakHeap / 1e6, heapGrowthMB: (this.#peakHeap - heap) / 1e6 };
    this.#finish(this.#job.heapSamples > 0 ? { ...speed, ...memory } : speed);
  }
}

function heapInUse(): number {
  if (!globalThis.gc) throw new Error("Run with --expose-gc: without it a heap says nothing about what is in use");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
