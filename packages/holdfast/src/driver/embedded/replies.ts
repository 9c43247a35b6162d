/** From the embedded server's replies to the port's, in the shapes which node-redis returns. */
import { SimpleError } from "@redis/client";
import type { Reply as ServerReply } from "holdfast-embedded";
import type { Reply } from "../port.ts";
import { toBytes } from "./bytes.ts";

/** Error replies become Error objects in place, also inside an array (EXEC). */
export function fromServer(reply: ServerReply): Reply {
  if (typeof reply === "string") return toBytes(reply);
  if (typeof reply === "number") return reply;
  // Integers are numbers, however large, as they are over the network.
  if (typeof reply === "bigint") return Number(reply);
  if ("kind" in reply) return fromTyped(reply);
  return reply.map(fromServer);
}

type TypedReply = Extract<ServerReply, { kind: string }>;

function fromTyped(reply: TypedReply): Reply {
  switch (reply.kind) {
    case "status":
      return reply.text;
    case "error":
      return new SimpleError(reply.message);
    case "nil":
    case "nil-array":
      return null;
    case "map":
      return reply.entries.map(fromServer);
    case "set":
    case "push":
      return reply.items.map(fromServer);
    case "double":
    case "boolean":
      return reply.value;
    case "big-number":
      return BigInt(reply.digits);
    case "verbatim":
      return toBytes(reply.text);
    case "several":
      return reply.replies.map(fromServer);
  }
}
