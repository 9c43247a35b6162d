/**
 * One message of a log as it is stored. Everything but the payload is readable without decoding that.
 *
 *     frame    varint length of what follows, flags, then what the flags name, in this order, then the payload
 *     flags    1 key   2 id   4 headers   8 delay   16 ttl   32 priority   64 mark
 *     key, id  varint length, UTF-8
 *     headers  varint length of all, then names and values in turn, each as a key is
 *     others   varint; a varint is LEB128
 */
import { CodecError } from "../../base/errors.ts";
import { HEADER_LENGTH, writeJsonHeader } from "../codec/header.ts";

/** What is appended. */
export interface LogMessage {
  /** As a codec encodes it; a text: what `encodePart` returns. */
  readonly payload: Buffer | string;
  readonly key?: string | undefined;
  readonly id?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly delayMs?: number | undefined;
  readonly ttlMs?: number | undefined;
  readonly priority?: number | undefined;
  /** A number of the log's owner: what kind of message it is. */
  readonly mark?: number | undefined;
  /** What its key must be at, for a log that keeps the newest of each; it is not stored. */
  readonly expected?: string | undefined;
}

const KEY = 1;
const ID = 2;
const HEADERS = 4;
const DELAY = 8;
const TTL = 16;
const PRIORITY = 32;
const MARK = 64;
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** A message as it was stored; a view of its pack's bytes. */
export class Frame {
  readonly key: string | undefined;
  readonly id: string | undefined;
  readonly delayMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly priority: number | undefined;
  readonly mark: number | undefined;
  readonly payload: Buffer;
  readonly #headers: Buffer | undefined;
  #parsed: Readonly<Record<string, string>> | undefined;

  constructor(cursor: ByteCursor, end: number) {
    const flags = cursor.byte();
    this.key = (flags & KEY) === 0 ? undefined : cursor.text();
    this.id = (flags & ID) === 0 ? undefined : cursor.text();
    this.#headers = (flags & HEADERS) === 0 ? undefined : cursor.chunk();
    this.delayMs = (flags & DELAY) === 0 ? undefined : cursor.varint();
    this.ttlMs = (flags & TTL) === 0 ? undefined : cursor.varint();
    this.priority = (flags & PRIORITY) === 0 ? undefined : cursor.varint();
    this.mark = (flags & MARK) === 0 ? undefined : cursor.varint();
    this.payload = cursor.upTo(end);
  }

  /** Parsed when they are first asked for. */
  get headers(): Readonly<Record<string, string>> {
    if (this.#headers === undefined) return NO_HEADERS;
    this.#parsed ??= parseHeaders(this.#headers);
    return this.#parsed;
  }
}

/** Reads what `writeFrame` writes. */
export class ByteCursor {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw truncated();
    this.at += 1;
    return byte;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
      if (factor > Number.MAX_SAFE_INTEGER)
        throw new CodecError("corrupt", "a number of a stored message is too large");
    }
  }

  chunk(): Buffer {
    const length = this.varint();
    return this.upTo(this.at + length);
  }

  text(): string {
    const length = this.varint();
    const end = this.at + length;
    if (end > this.#bytes.length) throw truncated();
    const text = this.#bytes.toString("utf8", this.at, end);
    this.at = end;
    return text;
  }

  upTo(end: number): Buffer {
    if (end > this.#bytes.length || end < this.at) throw truncated();
    const part = this.#bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }
}

/** Length of the frame without its length field. */
export function frameLength(message: LogMessage): number {
  const { payload, key, id, headers, delayMs, ttlMs, priority, mark } = message;
  let length = 1 + (typeof payload === "string" ? HEADER_LENGTH + Buffer.byteLength(payload) : payload.length);
  if (key !== undefined) length += textLength(key);
  if (id !== undefined) length += textLength(id);
  if (headers !== undefined) length += chunkLength(headersLength(headers));
  if (delayMs !== undefined) length += varintLength(delayMs);
  if (ttlMs !== undefined) length += varintLength(ttlMs);
  if (priority !== undefined) length += varintLength(priority);
  if (mark !== undefined) length += varintLength(mark);
  return length;
}

/** Writes the frame at `at` and returns where it ends. @param length what `frameLength` returned */
export function writeFrame(message: LogMessage, length: number, into: Buffer, at: number): number {
  const { payload, key, id, headers, delayMs, ttlMs, priority, mark } = message;
  let end = writeVarint(length, into, at);
  const flagsAt = end;
  end += 1;
  let flags = 0;
  if (key !== undefined) {
    flags |= KEY;
    end = writeText(key, into, end);
  }
  if (id !== undefined) {
    flags |= ID;
    end = writeText(id, into, end);
  }
  if (headers !== undefined) {
    flags |= HEADERS;
    end = writeHeaders(headers, into, end);
  }
  if (delayMs !== undefined) {
    flags |= DELAY;
    end = writeVarint(delayMs, into, end);
  }
  if (ttlMs !== undefined) {
    flags |= TTL;
    end = writeVarint(ttlMs, into, end);
  }
  if (priority !== undefined) {
    flags |= PRIORITY;
    end = writeVarint(priority, into, end);
  }
  if (mark !== undefined) {
    flags |= MARK;
    end = writeVarint(mark, into, end);
  }
  into[flagsAt] = flags;
  if (typeof payload !== "string") return end + payload.copy(into, end);
  writeJsonHeader(into, end);
  end += HEADER_LENGTH;
  return end + into.write(payload, end);
}

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

function writeVarint(value: number, into: Buffer, at: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    into[end] = (rest % 0x80) + 0x80;
    rest = Math.floor(rest / 0x80);
    end += 1;
  }
  into[end] = rest;
  return end + 1;
}

function writeText(text: string, into: Buffer, at: number): number {
  const length = Buffer.byteLength(text);
  const start = writeVarint(length, into, at);
  into.write(text, start, length, "utf8");
  return start + length;
}

function textLength(text: string): number {
  return chunkLength(Buffer.byteLength(text));
}

function chunkLength(length: number): number {
  return varintLength(length) + length;
}

function headersLength(headers: Readonly<Record<string, string>>): number {
  let length = 0;
  for (const name of Object.keys(headers)) length += textLength(name) + textLength(headers[name]!);
  return length;
}

function writeHeaders(headers: Readonly<Record<string, string>>, into: Buffer, at: number): number {
  let end = writeVarint(headersLength(headers), into, at);
  for (const name of Object.keys(headers)) end = writeText(headers[name]!, into, writeText(name, into, end));
  return end;
}

/** Without a prototype, so that no name that somebody chose is more than a name. */
function parseHeaders(bytes: Buffer): Readonly<Record<string, string>> {
  const headers = Object.create(null) as Record<string, string>;
  const cursor = new ByteCursor(bytes);
  while (!cursor.isAtEnd) {
    const name = cursor.text();
    headers[name] = cursor.text();
  }
  return headers;
}

function truncated(): CodecError {
  return new CodecError("truncated", "a stored message ends early");
}
