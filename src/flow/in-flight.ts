import { EntryIdOrd, type EntryId } from "../model/entry-id.js";
import type { HeldDelivery } from "../model/held-delivery.js";
import { LinkedList } from "./linked-list.js";

/** The deliveries of a source that are not settled, in the order in which they came. @internal */
export class InFlight {
  protected readonly held: LinkedList<HeldDelivery<unknown>> = new LinkedList<HeldDelivery<unknown>>();

  get unsettled(): number {
    return this.held.size;
  }
  get oldest(): HeldDelivery<unknown> | undefined {
    return this.held.oldest;
  }

  /** The ids of a stream that are open or on their way to be settled. */
  inFlight(stream: string): EntryId[] {
    return this.#idsWhere((held) => held.stream === stream && held.state !== "lost");
  }

  /** The ids of a stream that nobody has decided about. */
  open(stream: string): Set<EntryId> {
    return new Set(this.#idsWhere((held) => held.stream === stream && held.state === "open"));
  }

  /** What nobody has decided about, by stream. */
  openByStream(): ReadonlyMap<string, EntryId[]> {
    const byStream = new Map<string, EntryId[]>();
    for (const { stream, id, state } of this.held) {
      if (state !== "open") continue;
      const ids = byStream.get(stream);
      if (ids === undefined) byStream.set(stream, [id]);
      else ids.push(id);
    }
    return byStream;
  }

  /** The lowest id in flight of a stream. */
  oldestOf(stream: string): EntryId | undefined {
    return this.inFlight(stream).reduce<EntryId | undefined>(
      (least, id) => (least !== undefined && EntryIdOrd.compare(least, id) <= 0 ? least : id),
      undefined,
    );
  }

  #idsWhere(matches: (held: HeldDelivery<unknown>) => boolean): EntryId[] {
    const ids: EntryId[] = [];
    for (const held of this.held) if (matches(held)) ids.push(held.id);
    return ids;
  }
}
