import { connect } from "node:net";
import { once } from "node:events";
import { encode } from "./encode.js";

/** A connection that sends what is encoded already and reads no reply: it only waits for the answer to a command that ends each piece. */
export interface RawConnection {
  /** Sends the commands; resolves when the server has answered all of them. */
  send(commands: string | Buffer): Promise<void>;
  end(): void;
}

const token = "--all-before-this-is-done--";
const answer = Buffer.from(`$${token.length}\r\n${token}\r\n`);
const question = encode("ECHO", token);

export async function rawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, "connect");
  const waiting: (() => void)[] = [];
  let tail = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    const bytes = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    let from = 0;
    for (let at = bytes.indexOf(answer); at >= 0; at = bytes.indexOf(answer, from)) {
      from = at + answer.length;
      waiting.shift()?.();
    }
    tail = bytes.subarray(Math.max(from, bytes.length - answer.length + 1)); // an answer may be cut in two
  });
  return {
    send: (commands) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        socket.write(commands);
        socket.write(question);
      }),
    end: () => socket.destroy(),
  };
}
