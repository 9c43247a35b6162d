/** What was appended to a log in one go: messages at contiguous offsets, in one entry of its stream. */
import type { Reply } from "../../driver/port.ts";
import { CodecError, ReplyError } from "../../base/errors.ts";
import { ByteCursor, Frame } from "./frame.ts";

/** A message's place: where a reader is that has seen it. */
export interface LogPoint {
  /** Of the log; 0 where nothing is known of it. */
  readonly epoch: number;
  /** 0: before the first. */
  readonly offset: number;
  /** When it was appended, by the server's clock; 0: not to be compared. */
  readonly at: number;
}

export class LogPack {
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  /** When it was appended, in milliseconds by the server's clock, which never goes back within a log. */
  readonly at: number;
  /** The frames, one behind the other. */
  readonly bytes: Buffer;
  #frames: readonly Frame[] | undefined;

  constructor(epoch: number, first: number, count: number, at: number, bytes: Buffer) {
    this.epoch = epoch;
    this.first = first;
    this.last = first + count - 1;
    this.at = at;
    this.bytes = bytes;
  }

  /** Parsed once, however many read it. @throws CodecError for bytes that no log has written */
  get frames(): readonly Frame[] {
    this.#frames ??= this.#parse();
    return this.#frames;
  }

  /** Why its frames cannot be read; undefined where they can. */
  get fault(): unknown {
    if (this.#frames !== undefined) return undefined;
    try {
      this.#frames = this.#parse();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** @param offset from `first` to `last` */
  frame(offset: number): Frame {
    return this.frames[offset - this.first]!;
  }

  point(offset: number): LogPoint {
    return { epoch: this.epoch, offset, at: this.at };
  }

  #parse(): readonly Frame[] {
    const cursor = new ByteCursor(this.bytes);
    const frames: Frame[] = [];
    while (!cursor.isAtEnd) {
      const length = cursor.varint();
      const end = cursor.at + length;
      frames.push(new Frame(cursor, end));
    }
    if (frames.length === this.last - this.first + 1) return frames;
    throw new CodecError("corrupt", `a pack of ${this.last - this.first + 1} stored messages has ${frames.length}`);
  }
}

const ENTRY_ID = /^(\d+)-(\d+)$/;
const NEWS = /^(\d+) (\d+) (\d+) (\d+)$/;
const LINE_END = 10;

/** Entries of a log's stream, as XRANGE returns them, without those that no log has written. @throws ReplyError for what is no list of entries */
export function packsOf(reply: Reply, op: string, key: string): LogPack[] {
  if (Array.isArray(reply)) return reply.map(packOf).filter((pack) => pack !== undefined);
  throw new ReplyError(`${op}: the stream of ${JSON.stringify(key)} holds what this library has not written`, {
    op,
    key,
  });
}

/** What comes by the live channel: the news, and the messages themselves where they are few. */
export interface LogNews {
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly at: number;
  readonly pack: LogPack | undefined;
}

/** Undefined for what no log has sent. */
export function newsOf(payload: Buffer): LogNews | undefined {
  const end = payload.indexOf(LINE_END);
  const match = end < 0 ? null : NEWS.exec(payload.toString("latin1", 0, end));
  if (match === null) return undefined;
  const [epoch, first, count, at] = [Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4])];
  const bytes = payload.subarray(end + 1);
  const pack = bytes.length === 0 ? undefined : new LogPack(epoch, first, count, at, bytes);
  return { epoch, first, last: first + count - 1, at, pack };
}

function packOf(entry: Reply): LogPack | undefined {
  if (!Array.isArray(entry) || !Array.isArray(entry[1])) return undefined;
  const [id, [, at, , count, , bytes]] = entry as [Reply, Reply[]];
  return Buffer.isBuffer(bytes) ? storedPack(String(id), String(at), String(count), bytes) : undefined;
}

/** An entry of a log's stream; undefined for one that no log has written. */
export function storedPack(id: string, at: string, count: string, bytes: Buffer): LogPack | undefined {
  const match = ENTRY_ID.exec(id);
  const [n, time] = [Number(count), Number(at)];
  if (match === null || !Number.isSafeInteger(n) || !Number.isSafeInteger(time)) return undefined;
  const last = Number(match[1]);
  return new LogPack(Number(match[2]), last - n + 1, n, time, bytes);
}
