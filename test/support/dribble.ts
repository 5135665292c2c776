import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { inject } from "vitest";
import { afterwards } from "./workbench.js";

export interface Dribble {
  readonly port: number;
  /** The next reply with these bytes in it is cut in the middle, with its connection. Resolves when it is. */
  readonly cutReplyWith: (text: string) => Promise<void>;
}

export interface DribbleOptions {
  /** How many bytes of the server's are passed on at a time. @defaultValue as they come */
  readonly pieceBytes?: number;
  /** Speaks TLS with the client. */
  readonly tls?: TlsOptions;
}

/** Stands before the run's server and passes on what it says in small pieces. */
export async function dribble({ pieceBytes = Infinity, tls }: DribbleOptions = {}): Promise<Dribble> {
  const url = new URL(inject("redisUrl"));
  let cut: { readonly text: string; readonly done: () => void } | undefined;
  const accept = (client: Socket): void => {
    const server = connect({ host: url.hostname, port: Number(url.port) });
    client.setNoDelay(true);
    client.on("data", (bytes) => server.write(bytes));
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
    for (const socket of [client, server]) socket.on("error", () => undefined);
    let last: Promise<unknown> = Promise.resolve();
    server.on("data", (bytes: Buffer) => {
      if (cut !== undefined && bytes.includes(cut.text)) {
        client.write(bytes.subarray(0, bytes.length >> 1), () => client.destroy());
        cut.done();
        cut = undefined;
      } else last = last.then(() => passOn(client, bytes, pieceBytes));
    });
  };
  const listener: Server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  afterwards(() => listener.close());
  return {
    port: (listener.address() as AddressInfo).port,
    cutReplyWith: (text) => new Promise((done) => (cut = { text, done })),
  };
}

async function passOn(client: Socket, bytes: Buffer, pieceBytes: number): Promise<void> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    client.write(bytes.subarray(from, from + pieceBytes));
    if (pieceBytes < bytes.length) await new Promise((resolve) => setImmediate(resolve));
  }
}
