/**
 * The producer of one stream. What is written in one tick, and while a pack is on its way, goes in one pack; one pack at a time,
 * sent again until it is known to be there or the lease is lost: so there is never a hole.
 */
import { Deferred } from "../base/deferred.ts";
import { HoldfastError, InvalidArgumentError, OutcomeUnknownError } from "../base/errors.ts";
import { nextTick, type Runtime } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { frameLength, type LogMessage } from "../core/log/frame.ts";
import { encodePosition } from "../core/log/position.ts";
import { canPass } from "../core/log/reader.ts";
import { TimedLease } from "../core/lease/timed-lease.ts";
import type { Operations } from "../core/observe/observe.ts";
import { Pause } from "../core/retry/pause.ts";
import type { StreamSettings } from "./options.ts";
import type { WriteResult } from "./scripts.gen.ts";
import { packed, type StreamStatus, type StreamStore } from "./store.ts";

/** `full`: it would be more than `maxBytes`. `stale`: another is the producer, or the stream is over or gone. In both cases it was not written. */
export type StreamWriteResult =
  | { readonly status: "ok"; readonly position: string }
  | { readonly status: "full" }
  | { readonly status: "stale" };

export type StreamEndResult = { readonly status: "ok" } | { readonly status: "stale" };

/** `busy`: it has a producer, which may have died `leftMs` from now. `over`: it has ended, or was aborted. */
export type StreamStartResult<T> =
  | { readonly status: "ok"; readonly writer: StreamWriter<T> }
  | { readonly status: "busy"; readonly leftMs: number }
  | { readonly status: "over"; readonly as: "end" | "aborted" };

interface Waiting extends Deferred<StreamWriteResult> {
  readonly message: LogMessage;
  /** What the stream is behind it. */
  readonly status: StreamStatus;
}

export interface StreamGrant {
  readonly token: string;
  readonly fence: number;
  readonly epoch: number;
  readonly head: number;
  readonly grantedAt: number;
}

const MAX_PACK = 512;
const MAX_PACK_BYTES = 65_536;
/** What may wait to be sent. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/**
 * What `stream.start` returns. Closed with the handle, which leaves the stream to the next producer.
 * @typeParam T of a chunk
 */
export class StreamWriter<T> implements AsyncDisposable {
  readonly id: string;
  /** Rises with each producer of the stream. */
  readonly fence: number;
  /** How many chunks there were before: 0 for a stream that nobody has begun before. */
  readonly resumedAt: number;
  readonly #runtime: Runtime;
  readonly #store: StreamStore;
  readonly #settings: StreamSettings<T>;
  readonly #operations: Operations;
  readonly #token: string;
  readonly #epoch: number;
  readonly #lease: TimedLease;
  readonly #disown: () => void;
  #next: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #flushing: Promise<void> | undefined;
  #isOver = false;
  #ending: Promise<StreamEndResult> | undefined;

  constructor(
    core: Core,
    store: StreamStore,
    operations: Operations,
    id: string,
    settings: StreamSettings<T>,
    { token, fence, epoch, head, grantedAt }: StreamGrant,
  ) {
    this.id = id;
    this.fence = fence;
    this.resumedAt = head;
    this.#runtime = core.driver.runtime;
    this.#store = store;
    this.#settings = settings;
    this.#operations = operations;
    this.#token = token;
    this.#epoch = epoch;
    this.#next = head + 1;
    const { leaseMs: ttlMs, timeoutMs } = settings;
    const port = {
      extend: (ms: number, call: { timeoutMs: number; signal?: AbortSignal | undefined }) =>
        store.extend(token, ms, call),
      release: () => store.release(token),
    };
    const terms = { label: operations.where, ttlMs, renew: true, maxHoldMs: Infinity, timeoutMs };
    this.#lease = new TimedLease(this.#runtime, port, terms, grantedAt);
    this.#disown = core.own(this);
  }

  /** Aborts when another may be the producer, or the handle is closed; not at the end. */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /**
   * Appends a chunk. Resolves when it is there for every reader; to await it is the back-pressure.
   * Cost: one script for all that is written in one tick, or while the one before is on its way.
   * @throws CodecError for what cannot be encoded
   * @throws OutcomeUnknownError when the lease was lost before it was known to be there
   */
  write(chunk: T): Promise<StreamWriteResult> {
    return this.#operations.runAtOnce("write", this.id, () => {
      const payload = this.#settings.codec.encode(chunk, { aad: this.#store.keys.key });
      return this.#add({ payload }, "open");
    });
  }

  /**
   * Ends the stream: readers see it after the last chunk. Idempotent.
   * Cost: one script, with what is still to be written.
   */
  end(): Promise<StreamEndResult> {
    return this.#operations.runAtOnce("end", this.id, () => this.#end("end", ""));
  }

  /**
   * Breaks the stream off: readers are told `aborted`, after the last chunk, with `reason`, which they may show. Idempotent.
   * Cost: as `end`.
   */
  abort(reason: string): Promise<StreamEndResult> {
    return this.#operations.runAtOnce("abort", this.id, () => {
      if (typeof reason !== "string") throw new InvalidArgumentError("reason", "a text", reason);
      return this.#end("aborted", reason);
    });
  }

  /** Leaves a stream that is not over to the next producer, once what was written is there. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#flushing;
    await this.#lease.close();
    this.#disown();
  }

  /** A stream that was not ended is aborted: its block was left early. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("aborted", "the producer gave it up").catch(() => undefined);
    await this.close();
  }

  #end(status: "end" | "aborted", reason: string): Promise<StreamEndResult> {
    this.#ending ??= this.#finish(status, reason);
    return this.#ending;
  }

  async #finish(status: "end" | "aborted", reason: string): Promise<StreamEndResult> {
    const ended = this.#add(this.#store.endFrame(status, reason), status);
    this.#isOver = true;
    const { status: outcome } = await ended;
    // The server has let it go with its end.
    await this.close();
    return { status: outcome === "ok" ? "ok" : "stale" };
  }

  #add(message: LogMessage, status: StreamStatus): Promise<StreamWriteResult> {
    if (this.#isOver || !this.#lease.held) return Promise.resolve({ status: "stale" });
    const length = frameLength(message);
    if (status === "open" && this.#waitingBytes + length > MAX_WAITING_BYTES && this.#waiting.length > 0)
      return Promise.reject(
        this.#failure("OVERLOADED", "more waits to be written than may: await what `write` returns"),
      );
    const waiting: Waiting = Object.assign(new Deferred<StreamWriteResult>(), { message, status });
    this.#waiting.push(waiting);
    this.#waitingBytes += length;
    this.#flushing ??= this.#flush();
    return waiting.promise;
  }

  async #flush(): Promise<void> {
    await new Promise<void>((resolve) => nextTick(resolve));
    while (this.#waiting.length > 0) await this.#send(this.#take());
    this.#flushing = undefined;
  }

  /** Up to an end, which is by itself where what is before it could be `full`. */
  #take(): readonly Waiting[] {
    let [to, bytes] = [0, 0];
    for (const { message, status } of this.#waiting) {
      if (to > 0 && status !== "open") break;
      bytes += frameLength(message);
      if (to === MAX_PACK || (bytes > MAX_PACK_BYTES && to > 0)) break;
      to += 1;
    }
    const pack = this.#waiting.slice(0, to);
    this.#waiting = this.#waiting.slice(to);
    for (const { message } of pack) this.#waitingBytes -= frameLength(message);
    return pack;
  }

  async #send(pack: readonly Waiting[]): Promise<void> {
    const first = this.#next;
    const sent = { count: pack.length, blob: packed(pack.map(({ message }) => message)), status: pack[0]!.status };
    try {
      const result = await this.#insist(first, sent);
      if (result.status === "ok") this.#next += pack.length;
      for (const [place, waiting] of pack.entries()) {
        if (result.status !== "ok") waiting.resolve({ status: result.status });
        else waiting.resolve({ status: "ok", position: this.#position(first + place, result.at) });
      }
    } catch (error) {
      // What comes behind it must not be there without it.
      this.#isOver = true;
      for (const waiting of [...pack, ...this.#waiting]) waiting.reject(error);
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
  }

  /** Again and again while the server does not answer: a repetition is known by its offset. */
  async #insist(
    first: number,
    pack: { readonly count: number; readonly blob: Buffer; readonly status: StreamStatus },
  ): Promise<WriteResult> {
    const pause = new Pause(this.#runtime, this.signal);
    let cause: unknown;
    while (this.#lease.held) {
      try {
        const timeoutMs = Math.max(Math.ceil(this.#lease.remainingMs), 1);
        return await this.#store.write(this.#token, { epoch: this.#epoch, first }, pack, timeoutMs);
      } catch (error) {
        if (!canPass(error) && !(error instanceof OutcomeUnknownError)) throw error;
        cause = error;
      }
      await pause.next();
    }
    if (cause === undefined) return { status: "stale" };
    const message = `${this.#operations.where}: the lease was lost before the server had answered; what it has is what readers see`;
    throw new OutcomeUnknownError(message, { op: "stream.write", key: this.id, cause });
  }

  #position(offset: number, at: number): string {
    return encodePosition(0, { epoch: this.#epoch, offset, at });
  }

  #failure(code: "OVERLOADED", message: string): HoldfastError {
    return new HoldfastError(code, `${this.#operations.where}: ${message}`, { op: "stream.write", key: this.id });
  }
}
