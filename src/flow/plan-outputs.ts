import type { Delivery } from "../model/delivery.js";
import { disown } from "../model/disown.js";
import { toWrite, type Effect } from "../model/effect.js";
import { outputWords, type OutputRecord } from "../model/output.js";
import type { Plan } from "../model/pile.js";
import { settle, settlementOf } from "../model/settlement.js";
import { Write } from "../model/write.js";
import type { StreamsPort } from "../redis/port.js";
import { refuseOtherSlot } from "./same-slot.js";

/** What is made of a delivery. @internal */
export interface OutputSettings {
  readonly to: string | ((fields: OutputRecord, delivery: Delivery<unknown>) => string);
  readonly fields: (value: unknown, delivery: Delivery<unknown>) => OutputRecord | readonly OutputRecord[];
  readonly effects: (value: unknown, delivery: Delivery<unknown>) => readonly Effect[];
  readonly maxLen: number | undefined;
}

/** Plans what an acknowledgement writes; a callback that fails makes a dead letter. @internal */
export function planOutputs(port: StreamsPort, settings: OutputSettings): Plan {
  return (delivery) => {
    if (delivery.group === undefined)
      throw new TypeError("Expected deliveries of a group before `handOff`: without one there is no acknowledgement to write with");
    let writes: Write[];
    try {
      writes = toWrites(settings, delivery);
    } catch (error) {
      return { settlement: settle.deadLetter(delivery, error).settlement };
    }
    const { stream } = delivery;
    for (const { key } of writes) refuseOtherSlot(port, stream, key, `handOff can't write to "${key}" and acknowledge in "${stream}"`);
    return { settlement: settlementOf(delivery), writes: writes.length === 0 ? undefined : writes };
  };
}

/** Effects before outputs: what can be refused comes before what should not have to be taken back. */
function toWrites({ to, fields, effects, maxLen }: OutputSettings, delivery: Delivery<unknown>): Write[] {
  const changes = effects(delivery.value, delivery);
  disown(changes);
  if (!Array.isArray(changes)) throw new TypeError("Expected `effects` to return an array; an empty one for none");
  const made = fields(delivery.value, delivery);
  const records = Array.isArray(made) ? (made as readonly OutputRecord[]) : [made as OutputRecord];
  const head: Write["args"] = maxLen === undefined ? ["*"] : ["MAXLEN", "~", maxLen, "*"];
  const outputs = records.map((record) => {
    const words = outputWords("fields", record);
    return new Write("XADD", targetOf(to, record, delivery), head.concat(words));
  });
  return (changes as readonly Effect[]).map(toWrite).concat(outputs);
}

function targetOf(to: OutputSettings["to"], record: OutputRecord, delivery: Delivery<unknown>): string {
  const target = typeof to === "string" ? to : to(record, delivery);
  if (typeof target === "string" && target !== "") return target;
  disown(target);
  throw new TypeError("Expected `to` to return the name of a stream");
}
