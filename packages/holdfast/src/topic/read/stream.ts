/** A topic's messages as an async iterator. */
import { onAbort } from "../../base/abort.ts";
import { Deferred } from "../../base/deferred.ts";
import type { LogPack } from "../../core/log/pack.ts";
import { encodePosition } from "../../core/log/position.ts";
import type { LogItem, LogReader } from "../../core/log/reader.ts";
import type { TopicMessage } from "../message.ts";
import type { TopicSource } from "../source.ts";
import type { TopicGap } from "../subscription.ts";
import type { Reading, TopicRawMessage } from "./options.ts";
import { Reports } from "../../core/observe/reports.ts";

/** A pack that is being yielded, message by message. */
interface Current {
  readonly pack: LogPack;
  readonly partition: number;
  /** Where this reader is in the other partitions. */
  readonly others: string | undefined;
  offset: number;
}

type Result<T> = IteratorResult<TopicMessage<T>, undefined>;

const END: { readonly value: undefined; readonly done: true } = { value: undefined, done: true };

/**
 * Messages: those of a partition in their order. It begins with the call that made it, not with the first `next()`, keeps nothing that is not
 * asked for, and ends without an error at `break`, `return()`, `close()`, the signal, or the end of the handle. Must be iterated or closed.
 */
export class TopicStream<T> implements AsyncIterableIterator<TopicMessage<T>, undefined, undefined>, AsyncDisposable {
  /**
   * Resolves once it is known where it begins: what is published after that is seen, from any `from`. Also when it was closed before. While the
   * server is away it waits. Rejects as the first `next()` does.
   */
  readonly ready: Promise<void>;
  readonly #source: TopicSource<T>;
  readonly #reading: Reading;
  readonly #reports: Reports<TopicGap, TopicRawMessage>;
  /** One per partition that is read. */
  readonly #readers = new Map<number, LogReader>();
  #current: Current | undefined;
  /** The partition that is asked first; all in turn. */
  #turn = 0;
  #isReady = false;
  #isClosed = false;
  /** To be reported before the next message. */
  #missing: TopicGap | undefined;
  #arrival: Deferred<void> | undefined;
  /** Calls of next() that do not wait for each other still get their messages in order. */
  #last: Promise<unknown> | undefined;
  #unfollow: (() => void) | undefined;

  constructor(source: TopicSource<T>, reading: Reading) {
    this.#source = source;
    this.#reading = reading;
    this.#reports = new Reports(source.label, "HOLDFAST_TOPIC", reading);
    if (reading.signal?.aborted === true) this.#isClosed = true;
    else this.#open();
    this.ready = this.#begin();
    this.ready.catch(() => undefined);
  }

  /** Where it is: what comes next is behind this. To be passed as `from`, here or in another process. */
  get position(): string {
    const current = this.#current;
    const point = current === undefined ? undefined : current.pack.point(current.offset - 1);
    return [...this.#readers]
      .map(([partition, reader]) => encodePosition(partition, current?.partition === partition ? point! : reader.point))
      .join("_");
  }

  /** @throws HoldfastError once, where the server refuses it */
  next(): Promise<Result<T>> {
    if (this.#last === undefined && this.#isReady) {
      try {
        const message = this.#take();
        if (message !== undefined) return Promise.resolve({ value: message, done: false });
      } catch (error) {
        return Promise.reject(this.#failed(error));
      }
    }
    const result = (this.#last ?? this.ready).then(
      () => this.#next(),
      (error: unknown) => this.#unready(error),
    );
    const last = result.then(nothing, nothing).finally(() => {
      if (this.#last === last) this.#last = undefined;
    });
    this.#last = last;
    return result;
  }

  async return(): Promise<Result<T>> {
    await this.close();
    return END;
  }

  /** Ends it. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow?.();
    for (const reader of this.#readers.values()) reader.close();
    this.#wake();
    return Promise.resolve();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): void {
    const { core, logs } = this.#source;
    for (const [partition, start] of this.#reading.starts.entries()) {
      if (start === undefined) continue;
      this.#readers.set(partition, core.logs.feed(logs[partition]!).read(start, this.#wake));
    }
    this.#unfollow = onAbort(this.#reading.signal, () => void this.close());
  }

  async #begin(): Promise<void> {
    await Promise.all([...this.#readers.values()].map((reader) => reader.ready));
    this.#isReady = true;
  }

  readonly #wake = (): void => {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  };

  async #next(): Promise<Result<T>> {
    for (;;) {
      try {
        const message = this.#take();
        if (message !== undefined) return { value: message, done: false };
      } catch (error) {
        throw this.#failed(error);
      }
      const missing = this.#missing;
      this.#missing = undefined;
      if (missing !== undefined) await this.#reports.gap(missing);
      else if (this.#isOver) return END;
      else {
        this.#arrival ??= new Deferred();
        await this.#arrival.promise;
      }
    }
  }

  get #isOver(): boolean {
    return this.#isClosed || [...this.#readers.values()].every((reader) => reader.isClosed);
  }

  /** Once. */
  #unready(error: unknown): Result<T> {
    if (this.#isClosed) return END;
    throw this.#failed(error);
  }

  #failed(error: unknown): unknown {
    void this.close();
    return error;
  }

  /** The next message that is at hand, unless something is missing in front of it. */
  #take(): TopicMessage<T> | undefined {
    while (!this.#isClosed && this.#missing === undefined) {
      this.#current ??= this.#nextPack();
      const current = this.#current;
      if (current === undefined) return undefined;
      const message = this.#read(current);
      if (current.offset === current.pack.last) this.#current = undefined;
      current.offset += 1;
      if (message !== undefined) return message;
    }
    return undefined;
  }

  #nextPack(): Current | undefined {
    const readers = [...this.#readers];
    for (let asked = 0; asked < readers.length; asked += 1) {
      const [partition, reader] = readers[(this.#turn + asked) % readers.length]!;
      const item = reader.take();
      if (item === undefined) continue;
      this.#turn = (this.#turn + asked + 1) % readers.length;
      if (item.kind === "pack")
        return { pack: item.pack, partition, others: this.#without(partition), offset: item.from };
      this.#missing = gapOf(partition, item);
      return undefined;
    }
    return undefined;
  }

  #without(partition: number): string | undefined {
    if (this.#readers.size === 1) return undefined;
    const others = [...this.#readers].filter(([other]) => other !== partition);
    return others.map(([other, reader]) => encodePosition(other, reader.point)).join("_");
  }

  /** Undefined for what is not wanted or cannot be read. */
  #read({ pack, partition, others, offset }: Current): TopicMessage<T> | undefined {
    const { isWanted } = this.#reading;
    try {
      if (isWanted !== undefined && !isWanted(pack.frame(offset))) return undefined;
      return this.#source.decode(pack, offset, partition, others);
    } catch (error) {
      this.#reports.error(error, rawOf(pack, offset, partition));
      return undefined;
    }
  }
}

function gapOf(partition: number, item: Exclude<LogItem, { kind: "pack" }>): TopicGap {
  if (item.kind === "reset") return { kind: "reset", partition, from: undefined, to: undefined, count: undefined };
  const { from, to, count } = item;
  return { kind: "gap", partition, from, to, count };
}

/** Undefined where not even the frame can be read. */
function rawOf(pack: LogPack, offset: number, partition: number): TopicRawMessage | undefined {
  try {
    const { key, id, headers, payload } = pack.frame(offset);
    return { key, id, headers, payload, partition, offset };
  } catch {
    return undefined;
  }
}

function nothing(): void {}
