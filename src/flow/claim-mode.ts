import { asyncScheduler } from "rxjs";

/** A lease's time sees so many walks of the PEL; with claiming reads they only look for what those leave behind. */
const sweepsPerLease = 4;
const leasesPerSweep = 4;
/** While pages are full, reads claim no more often: the larger answers would cost new entries their speed. */
const claimEveryMs = 250;
/** So many leases without claims after a read has claimed what waits for a retry. */
const pauseLeases = 10;

/**
 * Whether reads take over stale entries themselves (XREADGROUP … CLAIM, Redis 8.4 and later), and how often a script is to
 * walk the PEL instead. CLAIM goes by idle time alone and knows nothing of retries: where many wait for longer than a lease, it would hand
 * them out to be put back again and again, so it rests then.
 * @internal
 */
export class ClaimMode {
  readonly #leaseMs: number;
  readonly #recover: boolean;
  #isOn = false;
  #notBefore = 0;
  #lastPage: "claimed" | "full" | "some" = "some";
  #claimedAt = -Infinity;

  constructor({ leaseMs, recover }: { readonly leaseMs: number; readonly recover: boolean }) {
    this.#leaseMs = leaseMs;
    this.#recover = recover;
  }

  /** True while blocked reads are woken by what is stale or due. */
  get isOn(): boolean {
    return this.#isOn && asyncScheduler.now() >= this.#notBefore;
  }

  /** From the end of one walk of the PEL to the next, ms. */
  get sweepEveryMs(): number {
    if (!this.#recover) return Infinity;
    return this.isOn ? this.#leaseMs * leasesPerSweep : this.#leaseMs / sweepsPerLease;
  }

  /** After which idle time the next read is to claim; undefined: it is not to. */
  next(): number | undefined {
    const now = asyncScheduler.now();
    if (!this.#recover || now < this.#notBefore || this.#lastPage === "claimed") return undefined; // new entries get their turn
    if (this.#lastPage === "full" && now - this.#claimedAt < claimEveryMs) return undefined;
    this.#claimedAt = now;
    return this.#leaseMs;
  }

  /** What came of a read: whether the server claims, and what it gave. */
  answered(isOn: boolean, page: "claimed" | "full" | "some"): void {
    this.#isOn = isOn;
    this.#lastPage = page;
  }

  /** A read has claimed what waits for a retry. */
  rest(): void {
    this.#notBefore = asyncScheduler.now() + pauseLeases * this.#leaseMs;
  }
}
