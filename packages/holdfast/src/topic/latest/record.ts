/** The newest message of a key as it is stored: where it is, and its frame. */
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { parsePosition } from "../../core/log/position.ts";
import { LogPack } from "../../core/log/pack.ts";

const PREFIX = /^(\d+) (\d+) (\d+)$/;
const LINE_END = 10;

/** What a key without a message is at. */
export const ABSENT = "0";

/** As a pack of this one message. @throws CodecError for what no topic has written */
export function packOf(record: Buffer): LogPack {
  const end = record.indexOf(LINE_END);
  const match = end < 0 ? null : PREFIX.exec(record.toString("latin1", 0, end));
  if (match === null) throw new CodecError("corrupt", "the newest message of a key cannot be read");
  const [offset, epoch, at] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return new LogPack(epoch, offset, 1, at, record.subarray(end + 1));
}

/** What a key is at whose newest message has this position. @throws InvalidArgumentError */
export function expectedAt(field: string, position: string): string {
  const positions = parsePosition(field, position);
  const [first] = positions;
  if (first === undefined) throw new InvalidArgumentError(field, "the position of a message", position);
  const { offset, epoch, at } = first.point;
  return `${offset} ${epoch} ${at}`;
}
