/** What a reply must be. One that is of another type comes from something between us and a server that is not in order. */
import { type HoldfastError, ReplyError } from "../../base/errors.ts";
import type { Reply } from "../../driver/port.ts";

/** Returns undefined for nothing. @throws ReplyError */
export function bytesOf(reply: Reply | undefined, op: string, key: string | undefined): Buffer | undefined {
  if (Buffer.isBuffer(reply)) return reply;
  if (reply === null) return undefined;
  throw unexpected("bytes", reply, op, key);
}

/** @throws ReplyError */
export function listOf(reply: Reply | undefined, op: string, key: string | undefined): Reply[] {
  if (Array.isArray(reply)) return reply;
  throw unexpected("a list", reply, op, key);
}

function unexpected(expected: string, got: Reply | undefined, op: string, key: string | undefined): HoldfastError {
  const about = key === undefined ? op : `${op} ${JSON.stringify(key)}`;
  const message = `${about}: expected ${expected} from the server, got ${typeName(got)}; check what is between`;
  return new ReplyError(message, { op, key });
}

/** Its type, never its content. */
function typeName(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return "bytes";
  if (Array.isArray(reply)) return "a list";
  if (reply instanceof Error) return "an error";
  return reply === null ? "nothing" : `a ${typeof reply}`;
}
