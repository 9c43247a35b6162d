/** Replies on their way into a script and out of it. */
import type { HostReply } from "../../lua/host.ts";
import { formatDouble } from "../../base/numbers.ts";
import {
  BigNumber,
  Bool,
  Double,
  ErrorReply,
  MapReply,
  NIL,
  type Reply,
  SetReply,
  Status,
  type TypedReply,
  Verbatim,
} from "../../base/reply.ts";

export type { HostReply } from "../../lua/host.ts";

/** As the script's protocol version shows them: RESP2 knows no maps, sets, doubles, booleans. */
export function toHost(reply: Reply, resp: 2 | 3): HostReply {
  if (typeof reply === "string" || typeof reply === "number" || typeof reply === "bigint") return reply;
  if ("kind" in reply) return resp === 3 ? typedToHost(reply) : downgraded(reply);
  return reply.map((item) => toHost(item, resp));
}

function typedToHost(reply: TypedReply): HostReply {
  switch (reply.kind) {
    case "double":
      return { type: "double", value: reply.value };
    case "boolean":
      return reply.value;
    case "big-number":
      return { type: "bignum", value: reply.digits };
    case "verbatim":
      return { type: "verbatim", format: reply.format, value: reply.text };
    case "map":
      return { type: "map", entries: pairs(reply.entries) };
    case "set":
      return { type: "set", items: reply.items.map((item) => toHost(item, 3)) };
    default:
      return downgraded(reply, 3);
  }
}

function downgraded(reply: TypedReply, resp: 2 | 3 = 2): HostReply {
  switch (reply.kind) {
    case "status":
      return { type: "status", value: reply.text };
    case "error":
      return { type: "error", value: reply.message, counted: true };
    case "nil":
    case "nil-array":
      return null;
    case "double":
      return reply.text ?? formatDouble(reply.value);
    case "boolean":
      return reply.value ? 1 : 0;
    case "big-number":
      return reply.digits;
    case "verbatim":
      return reply.text;
    case "map":
      return reply.entries.map((item) => toHost(item, resp));
    case "set":
    case "push":
      return reply.items.map((item) => toHost(item, resp));
    default:
      return reply.replies.map((item) => toHost(item, resp));
  }
}

function pairs(entries: readonly Reply[]): [HostReply, HostReply][] {
  const found: [HostReply, HostReply][] = [];
  for (let i = 0; i < entries.length; i += 2)
    found.push([toHost(entries[i] ?? NIL, 3), toHost(entries[i + 1] ?? NIL, 3)]);
  return found;
}

/** A script's result for its client. */
export function fromHost(reply: HostReply): Reply {
  if (reply === null) return NIL;
  if (typeof reply === "boolean") return new Bool(reply);
  if (typeof reply !== "object") return reply;
  if (Array.isArray(reply)) return reply.map((item) => fromHost(item));
  switch (reply.type) {
    case "status":
      return new Status(oneLine(reply.value));
    case "error":
      return new ErrorReply(oneLine(reply.value), reply.counted ?? false);
    case "double":
      return new Double(reply.value);
    case "bignum":
      return new BigNumber(reply.value);
    case "verbatim":
      return new Verbatim(reply.format, reply.value);
    case "map":
      return new MapReply(reply.entries.flatMap(([key, value]) => [fromHost(key), fromHost(value)]));
    default:
      return new SetReply(reply.items.map((item) => fromHost(item)));
  }
}

/** A script may return any bytes; a line must stay one. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}
