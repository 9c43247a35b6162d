/**
 * A dead letter as it is stored: length of its head (4 bytes), the head, then the message as one frame of a log.
 * The head (where it came from, why it died) is encoded as values are: an error's words may say what the message does.
 */
import { CodecError } from "../../base/errors.ts";
import { frameLength, type LogMessage, varintLength, writeFrame } from "../../core/log/frame.ts";
import { LogPack } from "../../core/log/pack.ts";

/** Why a message is dead. */
export type TopicDeadReason = "exhausted" | "rejected" | "undecodable";

export interface LetterHead {
  /** When the message was published, by the server's clock. */
  readonly publishedAt: number;
  readonly deliveries: number;
  readonly reason: TopicDeadReason;
  readonly error: string;
}

export interface LetterRecord {
  readonly head: LetterHead;
  /** The message alone. */
  readonly pack: LogPack;
}

/** A dead letter that was put back, as it is delivered. */
export class RedrivenPack extends LogPack {
  static of({ epoch, first, at, bytes }: LogPack): RedrivenPack {
    return new RedrivenPack(epoch, first, 1, at, bytes);
  }
}

const LENGTH_BYTES = 4;
const MAX_MESSAGE = 500;
/** Its length, and no flags. */
const EMPTY_FRAME: Buffer = Buffer.from([1, 0]);

/** Names a letter among those of its partition: the epoch and the offset of its message. */
export function letterName(epoch: number, offset: number): string {
  return `${epoch.toString(36)}.${offset}`;
}

/** Without `delay` and `ttl`: whoever redrives a message wants it delivered. */
export function encodeLetter(encodedHead: Buffer, { key, id, headers, mark, payload }: LogMessage): Buffer {
  const message = { key, id, headers: isEmpty(headers) ? undefined : headers, mark, payload };
  const length = frameLength(message);
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + encodedHead.length + varintLength(length) + length);
  bytes.writeUInt32BE(encodedHead.length);
  encodedHead.copy(bytes, LENGTH_BYTES);
  writeFrame(message, length, bytes, LENGTH_BYTES + encodedHead.length);
  return bytes;
}

/** The message as it is kept; of one that cannot be read, its place alone. */
export function keptOf(pack: LogPack, offset: number): LogMessage {
  try {
    return pack.frame(offset);
  } catch (error) {
    if (error instanceof CodecError) return { payload: Buffer.alloc(0) };
    throw error;
  }
}

/** In the place of one that cannot be read, so that it can be seen and removed. */
export function unreadable(name: string, { message }: CodecError): LetterRecord {
  const error = `this letter cannot be read: ${message}`;
  return { head: { publishedAt: 0, deliveries: 0, reason: "undecodable", error }, pack: packOf(name, 0, EMPTY_FRAME) };
}

/** @param decodeHead may throw a CodecError @throws CodecError for what cannot be read */
export function decodeLetter(name: string, bytes: Buffer, decodeHead: (bytes: Buffer) => LetterHead): LetterRecord {
  const length = bytes.length < LENGTH_BYTES ? Infinity : bytes.readUInt32BE();
  if (LENGTH_BYTES + length >= bytes.length) throw new CodecError("truncated", "a stored dead letter ends early");
  const head = decodeHead(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  const pack = packOf(name, head.publishedAt, bytes.subarray(LENGTH_BYTES + length));
  pack.frame(pack.first);
  return { head, pack };
}

/** Of its message in the log. */
export function placeOf(name: string): { readonly epoch: number; readonly offset: number } {
  const [epoch, offset] = name.split(".") as [string, string];
  return { epoch: Number.parseInt(epoch, 36), offset: Number(offset) };
}

function packOf(name: string, at: number, frame: Buffer): LogPack {
  const { epoch, offset } = placeOf(name);
  return new LogPack(epoch, offset, 1, at, frame);
}

/** What is kept of an error. A handler may throw anything: an error of another realm, an object that refuses to become a string. */
export function wordsOf(error: unknown): string {
  try {
    const { name, message } = Object(error) as { readonly name?: unknown; readonly message?: unknown };
    const text = typeof message === "string" ? message : String(error);
    const shown =
      typeof name === "string" && name !== "Error" && typeof message === "string" ? `${name}: ${text}` : text;
    return shown.slice(0, MAX_MESSAGE);
  } catch {
    return "the handler threw a value that cannot be shown";
  }
}

function isEmpty(headers: Readonly<Record<string, string>> | undefined): boolean {
  return headers === undefined || Object.keys(headers).length === 0;
}
