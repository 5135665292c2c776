import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { openGate } from "./proxy/gate.js";
import { linkSockets, type Link } from "./proxy/link.js";
import { oneShot } from "./proxy/one-shot.js";

export interface TcpProxyOptions {
  /** How much later bytes arrive, each way, in ms. @defaultValue `0` */
  readonly latencyMs?: number;
}

/** Stands between a client and its server, and has the faults of a network on request. */
export interface TcpProxy {
  readonly port: number;
  /** The server's URL, by way of the proxy. */
  readonly url: string;
  /** How many connections are open now. */
  readonly connections: number;
  /**
   * Loses one reply: the next request chunk that matches is forwarded, and when its connection's next bytes come
   * back from the server, they are dropped and the client is reset. With pipelining those may answer an earlier
   * request, so match on a connection that has nothing else under way. Resolves when it has happened.
   */
  cutReplyWhen(predicate: (request: Buffer) => boolean): Promise<void>;
  /** A black hole: connections stay open and nothing passes, either way, until `release` or `reset`. */
  hold(): void;
  /** Lets through what was held, in order. */
  release(): void;
  /** Resets every connection, and ends a hold: what it held is lost, as it is in a network. */
  reset(): void;
  /** Whether new connections are reset as soon as they are made. */
  refuse(refused: boolean): void;
  close(): Promise<void>;
}

/** Starts a proxy before a server on loopback, given as its port, or anywhere, given as its URL. */
export async function startProxy(target: number | string, options: TcpProxyOptions = {}): Promise<TcpProxy> {
  const url = new URL(typeof target === "number" ? `redis://127.0.0.1:${target}` : target);
  const upstream = { host: url.hostname, port: Number(url.port || 6379), allowHalfOpen: true };
  const links = new Set<Link>();
  const gate = openGate();
  const cut = oneShot<Buffer>();
  let refused = false;
  const accept = (client: Socket) => {
    if (refused) return void client.resetAndDestroy();
    const link = linkSockets(client, connect(upstream), { latencyMs: options.latencyMs ?? 0, gate, cut });
    links.add(link);
    void link.closed.then(() => links.delete(link));
  };
  const reset = () => {
    for (const link of links) link.reset();
    gate.open();
  };
  const listener = createServer({ allowHalfOpen: true }, accept).listen(0, "127.0.0.1");
  await once(listener, "listening");
  url.hostname = "127.0.0.1";
  url.port = String((listener.address() as AddressInfo).port);
  return {
    port: Number(url.port),
    url: url.href,
    get connections() {
      return links.size;
    },
    cutReplyWhen: cut.arm,
    hold: gate.shut,
    release: gate.open,
    reset,
    refuse: (on) => void (refused = on),
    async close() {
      const closed = once(listener, "close");
      listener.close();
      reset();
      await closed;
    },
  };
}
