import { isClusterConnection, isNodeConnection } from "./ioredis-internals.js";
import { ReplyTap, type TakeReply } from "./reply-tap.js";

/** @internal */
export interface TapHandlers {
  readonly take: TakeReply;
  /** Told of each socket whose replies pass here from now on, before a byte has come. */
  readonly tapped?: (socket: object) => void;
  /** The connection is not built as those of ioredis 5 and 6: ioredis decodes all that it brings. */
  readonly refused: () => void;
}

/**
 * Puts a tap before the decoder of a connection, or of each node of a Cluster, whenever it has connected.
 * @param connection - that was made just now
 * @internal
 */
export function tapReplies(connection: object, { take, tapped, refused }: TapHandlers): void {
  const watch = (node: unknown): void => {
    if (!isNodeConnection(node)) return refused();
    node.on("connect", () => {
      if (ReplyTap.attach(node, take)) tapped?.(node.stream!);
      else refused();
    });
  };
  if (isClusterConnection(connection)) connection.on("+node", watch);
  else watch(connection);
}
