/** Replies as RESP2 or RESP3, in binary strings. */
import { formatDouble } from "../base/numbers.ts";
import type { Reply, TypedReply } from "../base/reply.ts";

export type Resp = 2 | 3;

export function encode(reply: Reply, resp: Resp): string {
  if (typeof reply === "string") return `$${reply.length}\r\n${reply}\r\n`;
  if (typeof reply === "number" || typeof reply === "bigint") return `:${reply}\r\n`;
  if ("kind" in reply) return encodeTyped(reply, resp);
  return encodeItems("*", reply, resp);
}

function encodeTyped(reply: TypedReply, resp: Resp): string {
  switch (reply.kind) {
    case "status":
      return `+${reply.text}\r\n`;
    case "error":
      return `-${reply.message}\r\n`;
    case "nil":
      return resp === 3 ? "_\r\n" : "$-1\r\n";
    case "nil-array":
      return resp === 3 ? "_\r\n" : "*-1\r\n";
    case "map":
      return resp === 3 ? encodeMap(reply.entries) : encodeItems("*", reply.entries, resp);
    case "set":
      return encodeItems(resp === 3 ? "~" : "*", reply.items, resp);
    case "push":
      return encodeItems(resp === 3 ? ">" : "*", reply.items, resp);
    case "double":
      return encodeDouble(reply.text ?? formatDouble(reply.value), resp);
    case "boolean":
      return encodeBoolean(reply.value, resp);
    case "big-number":
      return resp === 3 ? `(${reply.digits}\r\n` : encode(reply.digits, resp);
    case "verbatim":
      return resp === 3 ? encodeVerbatim(reply.format, reply.text) : encode(reply.text, resp);
    default:
      return reply.replies.map((one) => encode(one, resp)).join("");
  }
}

function encodeItems(marker: string, items: readonly Reply[], resp: Resp): string {
  let text = `${marker}${items.length}\r\n`;
  for (const item of items) text += encode(item, resp);
  return text;
}

function encodeMap(entries: readonly Reply[]): string {
  let text = `%${entries.length / 2}\r\n`;
  for (const entry of entries) text += encode(entry, 3);
  return text;
}

function encodeDouble(text: string, resp: Resp): string {
  return resp === 3 ? `,${text}\r\n` : encode(text, resp);
}

function encodeBoolean(value: boolean, resp: Resp): string {
  if (resp === 3) return value ? "#t\r\n" : "#f\r\n";
  return value ? ":1\r\n" : ":0\r\n";
}

function encodeVerbatim(format: string, text: string): string {
  return `=${text.length + 4}\r\n${format}:${text}\r\n`;
}
