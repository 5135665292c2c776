import type { OperatorFunction } from "rxjs";
import { runBranches } from "../flow/run-branches.js";
import { tracked } from "../flow/tracked.js";
import { callable, relation } from "../model/check.js";
import type { Flow } from "../model/settlement.js";

/**
 * Shows each delivery to several branches; it goes on when all have settled it, with one decision for all.
 *
 * ```text
 * source   --x-------y-------|
 * branch A ----a---------a---|     a: done
 * branch B -------a----r-----|     r: to be retried
 * result   -------x------r---|     x goes on and is acked; y is retried, and both branches get it again
 * ```
 *
 * Branches are pipes of operators without a sink: `tee(retryToDLQ(bill, …), pipe(filterAck(isFragile), batch(ship, …)))`. Each settles its own
 * handle of the delivery; `signal`, timeouts and decisions of one do not touch the others'.
 *
 * **Guarantee** a delivery is settled once, when the last branch has settled it. A dead letter of one branch outweighs a retry, a
 * retry outweighs a release, and that an ack; the longest delay that a branch asks for holds. When all have acked it, it goes on open, with the value it
 * came with; as filtered or as a duplicate when no branch has processed it. A retry shows it to all branches again, also to
 * those that were through: their handlers have to be idempotent. A branch that drops a delivery, which none may, keeps it
 * unsettled: the others go on, and `status` reports it as stalled. Keys that `dedupe` has claimed in a branch are done, or given back, with
 * the delivery. `partitionBy` with `whileRetrying: "wait"` keeps the keys of each branch in order, by what that branch decides.
 * **Order** as the slowest branch settles them. **Backpressure** what is in the branches is part of the source's window; a slow branch slows
 * down all when the window is full.
 * **Teardown** a delivery that is lost to another consumer, or given up at the end of a drain, is lost in every branch and is let go at
 * once. The result errors when a branch does, or when one completes before the source.
 *
 * @param branches - operators from `Flow` to `Flow`; one or more
 * @throws RangeError or TypeError at call time when there is none, or one is no function
 * @example
 * ```ts
 * source.pipe(
 *   decode(Order),
 *   tee(
 *     retryToDLQ((order) => charge(order.amount), { maxDeliveries: 5 }),
 *     pipe(
 *       filterAck((order) => order.amount > 100),
 *       retryToDLQ(ship, { maxDeliveries: 5 }),
 *     ),
 *   ),
 *   acknowledge(redis),
 * );
 * ```
 * @public
 */
export function tee<A>(...branches: OperatorFunction<Flow<A>, Flow<unknown>>[]): OperatorFunction<Flow<A>, Flow<A>> {
  relation(branches.length > 0, "Expected `branches` to be at least one operator");
  branches.forEach((branch, index) => callable(`branches[${index}]`, branch));
  return tracked("tee", runBranches(branches));
}
