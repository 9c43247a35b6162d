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
const EMPTY = Buffer.alloc(0);
const ASTERISK = 42;
const DOLLAR = 36;

export interface ParserLimits {
  authenticated(): boolean;
  /** `proto-max-bulk-len` in bytes. */
  maxBulk(): number;
}

export class RequestParser {
  private readonly limits: ParserLimits;
  private buffer: Buffer = EMPTY;
  private text = "";
  private at = 0;
  /** Chunks that came while a long argument is incomplete, joined once it is whole. */
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private neededBytes = 0;
  /** The request being read: its arguments so far, how many are still to come, and the length of the next. */
  private args: string[] = [];
  private remaining = 0;
  private bulkLength = -1;

  constructor(limits: ParserLimits) {
    this.limits = limits;
  }

  feed(chunk: Buffer): void {
    if (this.at === this.buffer.length && this.waitingBytes === 0) {
      this.use(chunk);
      return;
    }
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
    if (this.buffer.length - this.at + this.waitingBytes < this.neededBytes) return;
    const rest = this.buffer.subarray(this.at);
    this.use(Buffer.concat([rest, ...this.waiting]));
    this.waiting = [];
    this.waitingBytes = 0;
    this.neededBytes = 0;
  }

  private use(buffer: Buffer): void {
    this.buffer = buffer;
    this.text = buffer.toString("latin1");
    this.at = 0;
  }

  /** The next whole request, or undefined until more bytes come. */
  next(): string[] | undefined {
    for (;;) {
      if (this.remaining === 0) {
        if (this.at >= this.buffer.length) return undefined;
        if (this.buffer[this.at] !== ASTERISK) {
          const inline = this.readInline();
          if (inline === undefined || inline.length > 0) return inline;
          continue;
        }
        if (!this.readCount()) return undefined;
        continue;
      }
      if (!this.readArgument()) return undefined;
      if (this.remaining > 0) continue;
      const request = this.args;
      this.args = [];
      return request;
    }
  }

  private readInline(): string[] | undefined {
    const end = this.text.indexOf("\n", this.at);
    if (end === -1) {
      if (this.buffer.length - this.at > MAX_INLINE) throw new ProtocolError("too big inline request");
      return undefined;
    }
    const line = this.text.slice(this.at, this.text.charCodeAt(end - 1) === 13 ? end - 1 : end);
    this.at = end + 1;
    const args = splitArguments(line);
    if (args === undefined) throw new ProtocolError("unbalanced quotes in request");
    return args;
  }

  private readCount(): boolean {
    const line = this.readLine("too big mbulk count string");
    if (line === undefined) return false;
    const count = lengthOf(line);
    if (count === undefined || count > MAX_COUNT) throw new ProtocolError("invalid multibulk length");
    if (count > MAX_COUNT_UNAUTHENTICATED && !this.limits.authenticated()) {
      throw new ProtocolError("unauthenticated multibulk length");
    }
    this.remaining = Math.max(count, 0);
    return true;
  }

  private readArgument(): boolean {
    if (this.bulkLength === -1 && !this.readBulkLength()) return false;
    const start = this.at;
    const end = start + this.bulkLength;
    if (end + 2 > this.buffer.length) {
      this.neededBytes = this.bulkLength + 2;
      return false;
    }
    this.args.push(this.bulkLength < COPIED ? this.text.slice(start, end) : this.buffer.toString("latin1", start, end));
    this.at = end + 2;
    this.bulkLength = -1;
    this.remaining--;
    return true;
  }

  private readBulkLength(): boolean {
    if (this.at >= this.buffer.length) return false;
    const line = this.readLine("too big bulk count string");
    if (line === undefined) return false;
    if (line.charCodeAt(0) !== DOLLAR) throw new ProtocolError(`expected '$', got '${line.charAt(0)}'`);
    const length = lengthOf(line);
    if (length === undefined || length < 0 || length > this.limits.maxBulk()) {
      throw new ProtocolError("invalid bulk length");
    }
    if (length > MAX_BULK_UNAUTHENTICATED && !this.limits.authenticated()) {
      throw new ProtocolError("unauthenticated bulk length");
    }
    this.bulkLength = length;
    return true;
  }

  private readLine(tooLong: string): string | undefined {
    const end = this.text.indexOf("\r", this.at);
    if (end === -1) {
      if (this.buffer.length - this.at > MAX_INLINE) throw new ProtocolError(tooLong);
      return undefined;
    }
    if (end + 1 >= this.buffer.length) return undefined;
    const line = this.text.slice(this.at, end);
    this.at = end + 2;
    return line;
  }
}

/** The number after a line's marker. */
function lengthOf(line: string): number | undefined {
  let value = 0;
  const negative = line.charCodeAt(1) === 45;
  const start = negative ? 2 : 1;
  if (line.length === start || line.length > 20) return undefined;
  for (let i = start; i < line.length; i++) {
    const digit = line.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
