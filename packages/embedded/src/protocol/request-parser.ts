/**
 * Requests out of a byte stream: arrays of bulk strings, and inline commands as people type them. Chunks may end anywhere.
 * Each argument is a string of its own (short ones copied, long ones decoded alone), so a value kept for long never holds the
 * chunk it came in.
 */
import { splitArguments } from "./inline.ts";

/** The stream makes no sense from here on; the connection must be closed. */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
}

const MAX_INLINE = 64 * 1024;
const MAX_COUNT = 2 ** 31 - 1;
/** What a client may send before AUTH. */
const MAX_COUNT_UNAUTHENTICATED = 10;
const MAX_BULK_UNAUTHENTICATED = 16384;
/** V8 copies substrings below 13 characters; longer ones would keep their parent alive. */
const COPIED = 13;
/** In bytes: longer arguments are put together in a buffer of their own. */
const LONG_ARGUMENT = 64 * 1024;
const EMPTY = Buffer.alloc(0);
const ASTERISK = 42;
const DOLLAR = 36;

export interface ParserLimits {
  authenticated(): boolean;
  /** `proto-max-bulk-len` in bytes. */
  maxBulk(): number;
}

export class RequestParser {
  readonly #limits: ParserLimits;
  /** What is being read; `text` is the same as characters, except for a long argument. */
  #buffer: Buffer = EMPTY;
  #text = "";
  #at = 0;
  /** Chunks after it. They are taken one by one, so that none is copied more than once however many are waiting. */
  readonly #chunks: Buffer[] = [];
  #chunkBytes = 0;
  /** Bytes of the rest of the buffer without which there is no going on. */
  #neededBytes = 0;
  /** The request being read: its arguments so far, how many are still to come, and the length of the next. */
  #args: string[] = [];
  #remaining = 0;
  #bulkLength = -1;

  constructor(limits: ParserLimits) {
    this.#limits = limits;
  }

  /** Bytes that came and are not read yet. */
  get bufferedBytes(): number {
    return this.#buffer.length - this.#at + this.#chunkBytes;
  }

  feed(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
  }

  /** The next whole request, or undefined until more bytes come. */
  next(): string[] | undefined {
    for (;;) {
      const request = this.#read();
      if (request !== undefined) return request;
      if (!this.#refill()) return undefined;
    }
  }

  /** Puts the next chunk, or for an argument all that it needs, behind what is left of the buffer. */
  #refill(): boolean {
    if (this.#chunks.length === 0 || this.bufferedBytes < this.#neededBytes) return false;
    const isLong = this.#neededBytes > LONG_ARGUMENT;
    const rest = this.#buffer.subarray(this.#at);
    const parts = this.#take(Math.max(this.#neededBytes - rest.length, 1), isLong);
    this.#buffer = rest.length === 0 && parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat([rest, ...parts]);
    this.#text = isLong ? "" : this.#buffer.toString("latin1");
    this.#at = 0;
    this.#neededBytes = 0;
    return true;
  }

  /** The next chunks, at least so many bytes of them, or exactly so many. */
  #take(bytes: number, exactly: boolean): Buffer[] {
    const parts: Buffer[] = [];
    for (let missing = bytes; missing > 0;) {
      let chunk = this.#chunks.shift() as Buffer;
      if (exactly && chunk.length > missing) {
        this.#chunks.unshift(chunk.subarray(missing));
        chunk = chunk.subarray(0, missing);
      }
      parts.push(chunk);
      this.#chunkBytes -= chunk.length;
      missing -= chunk.length;
    }
    return parts;
  }

  /** The next request in the buffer. */
  #read(): string[] | undefined {
    for (;;) {
      if (this.#remaining === 0) {
        if (this.#at >= this.#buffer.length) return undefined;
        if (this.#buffer[this.#at] !== ASTERISK) {
          const inline = this.#readInline();
          if (inline === undefined || inline.length > 0) return inline;
          continue;
        }
        if (!this.#readCount()) return undefined;
        continue;
      }
      if (!this.#readArgument()) return undefined;
      if (this.#remaining > 0) continue;
      const request = this.#args;
      this.#args = [];
      return request;
    }
  }

  #readInline(): string[] | undefined {
    const end = this.#text.indexOf("\n", this.#at);
    if (end === -1) {
      if (this.#buffer.length - this.#at > MAX_INLINE) throw new ProtocolError("too big inline request");
      return undefined;
    }
    const line = this.#text.slice(this.#at, this.#text.charCodeAt(end - 1) === 13 ? end - 1 : end);
    this.#at = end + 1;
    const args = splitArguments(line);
    if (args === undefined) throw new ProtocolError("unbalanced quotes in request");
    return args;
  }

  #readCount(): boolean {
    const line = this.#readLine("too big mbulk count string");
    if (line === undefined) return false;
    const count = lengthOf(line);
    if (count === undefined || count > MAX_COUNT) throw new ProtocolError("invalid multibulk length");
    if (count > MAX_COUNT_UNAUTHENTICATED && !this.#limits.authenticated()) {
      throw new ProtocolError("unauthenticated multibulk length");
    }
    this.#remaining = Math.max(count, 0);
    return true;
  }

  #readArgument(): boolean {
    if (this.#bulkLength === -1 && !this.#readBulkLength()) return false;
    const start = this.#at;
    const end = start + this.#bulkLength;
    if (end + 2 > this.#buffer.length) {
      this.#neededBytes = this.#bulkLength + 2;
      return false;
    }
    this.#args.push(
      this.#bulkLength < COPIED ? this.#text.slice(start, end) : this.#buffer.toString("latin1", start, end),
    );
    this.#at = end + 2;
    this.#bulkLength = -1;
    this.#remaining -= 1;
    return true;
  }

  #readBulkLength(): boolean {
    if (this.#at >= this.#buffer.length) return false;
    const line = this.#readLine("too big bulk count string");
    if (line === undefined) return false;
    if (line.charCodeAt(0) !== DOLLAR) throw new ProtocolError(`expected '$', got '${line.charAt(0)}'`);
    const length = lengthOf(line);
    if (length === undefined || length < 0 || length > this.#limits.maxBulk()) {
      throw new ProtocolError("invalid bulk length");
    }
    if (length > MAX_BULK_UNAUTHENTICATED && !this.#limits.authenticated()) {
      throw new ProtocolError("unauthenticated bulk length");
    }
    this.#bulkLength = length;
    return true;
  }

  #readLine(tooLong: string): string | undefined {
    const end = this.#text.indexOf("\r", this.#at);
    if (end === -1) {
      if (this.#buffer.length - this.#at > MAX_INLINE) throw new ProtocolError(tooLong);
      return undefined;
    }
    if (end + 1 >= this.#buffer.length) return undefined;
    const line = this.#text.slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }
}

/** The number after a line's marker, written as Redis writes it: no leading zeros. */
function lengthOf(line: string): number | undefined {
  let value = 0;
  const negative = line.charCodeAt(1) === 45;
  const start = negative ? 2 : 1;
  if (line.length === start || line.length > 20) return undefined;
  if (line.charCodeAt(start) === 48 && line.length > 2) return undefined;
  for (let i = start; i < line.length; i += 1) {
    const digit = line.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
