import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Gate } from "./gate.js";
import type { OneShot } from "./one-shot.js";

export interface LinkOptions {
  readonly latencyMs: number;
  readonly gate: Gate;
  readonly cut: OneShot<Buffer>;
}

/** A client and the server it was connected to. */
export interface Link {
  readonly closed: Promise<unknown>;
  /** Resets both ends; what is under way is lost. */
  reset(): void;
}

/** Passes bytes both ways, late and through the gate, except for the reply that is to be cut. */
export function linkSockets(client: Socket, server: Socket, { latencyMs, gate, cut }: LinkOptions): Link {
  const reset = () => {
    client.resetAndDestroy();
    server.resetAndDestroy();
  };
  let afterCut: (() => void) | undefined;
  const toServer = lane(latencyMs, gate);
  const toClient = lane(latencyMs, gate);
  client.on("data", (request: Buffer) =>
    toServer(() => {
      afterCut ??= cut.spring(request); // not before it is forwarded: what comes earlier is not its reply
      server.write(request);
    }),
  );
  server.on("data", (reply: Buffer) => {
    if (!afterCut) return toClient(() => client.write(reply));
    reset();
    afterCut();
  });
  passEnd(client, server, toServer);
  passEnd(server, client, toClient);
  return { reset, closed: new Promise((resolve) => client.once("close", resolve)) };
}

/** One way along a link. */
type Lane = (deliver: () => void) => void;

/** Each delivery waits for its latency, counted from its arrival, for the gate, and for those before it. */
function lane(latencyMs: number, gate: Gate): Lane {
  let last = Promise.resolve();
  return (deliver) => {
    const arrival = latencyMs > 0 ? delay(latencyMs) : undefined;
    last = last
      .then(() => arrival)
      .then(gate.pass)
      .then(deliver);
  };
}

/** The end of a connection takes the same way as its bytes, so it neither overtakes them nor leaves a black hole. */
function passEnd(from: Socket, to: Socket, along: Lane): void {
  from.on("end", () => along(() => to.end()));
  from.on("error", () => along(() => to.resetAndDestroy()));
  from.on("close", () => along(() => to.destroySoon()));
}
