import type { Claim } from "./claim.js";
import type { Delivery } from "./delivery.js";
import { heldBy, HeldDelivery } from "./held-delivery.js";
import type { Origin } from "./origin.js";
import type { Settlement } from "./settlement.js";

/** A delivery that several branches work on, and what they have decided so far. @internal */
export class SharedDelivery<A> {
  readonly delivery: Delivery<A>;
  readonly handles: readonly BranchHandle[];
  readonly #settlements: Settlement[] = [];

  /** @param origins - what each branch takes for the source of its deliveries */
  constructor(delivery: Delivery<A>, origins: readonly Origin[]) {
    this.delivery = delivery;
    this.handles = origins.map((origin, branch) => new BranchHandle(this, origin, branch));
  }

  /** Some branch has not settled it. */
  get isOpen(): boolean {
    return this.handles.some(({ state }) => state === "open");
  }

  /** The delivery as a branch gets it: a real one, that the branch settles on its own. */
  inBranch(branch: number): Delivery<A> {
    const handle = this.handles[branch] as HeldDelivery<A>;
    return this.delivery instanceof HeldDelivery ? handle : handle.map(() => this.delivery.value);
  }

  /** Takes a branch's decision, the first of each; all of them when this was the last one. */
  decide(branch: number, settlement: Settlement): readonly [Settlement, ...Settlement[]] | undefined {
    const handle = this.handles[branch]!;
    if (handle.state !== "open") return undefined;
    handle.state = "settled";
    this.#settlements[branch] = settlement;
    if (this.isOpen) return undefined;
    return this.#settlements as [Settlement, ...Settlement[]];
  }
}

/** What a branch holds of a shared delivery: it has a state, a signal and a source of its own. @internal */
export class BranchHandle extends HeldDelivery<unknown> {
  readonly shared: SharedDelivery<unknown>;
  readonly branch: number;

  constructor(shared: SharedDelivery<unknown>, origin: Origin, branch: number) {
    const { stream, group, consumer, since, id, raw, deliveryCount } = heldBy(shared.delivery);
    super({ stream, group, consumer, since, origin }, id, raw, deliveryCount);
    this.shared = shared;
    this.branch = branch;
  }

  /** What goes with a settlement goes with that of the delivery: a branch's own is never written. */
  override claim(claim: Claim): void {
    heldBy(this.shared.delivery).claim(claim);
  }

  override keepOrder(key: string): void {
    heldBy(this.shared.delivery).keepOrder(key);
  }
}
