/**
 * Streams: what one producer writes piece by piece, such as an AI's answer or a long export, and any number of readers follow.
 *
 * What they promise: a reader sees the chunks in order, each once, from wherever it begins, in any process; `end` only after all of
 * them. There is one producer at a time: its fence rises, and what an earlier one still sends has no effect. When a producer dies
 * another may go on, and where none does readers are told `aborted` within `lease` and `takeover`. A stream is bounded by `maxBytes`
 * and kept for `ttl`. Chunks that the server has lost are told as a `gap` or `reset` in their place.
 *
 * While the server is away: a write is sent again until the lease is lost, readers wait and go on.
 */
import { HoldfastError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { Operations } from "../core/observe/observe.ts";
import {
  type StreamOptions,
  streamReading,
  type StreamReadOptions,
  type StreamSettings,
  streamSettings,
} from "./options.ts";
import { pipeInto, type StreamPipeResult, type StreamSource } from "./pipe.ts";
import { type StreamEvent, readStream } from "./reader.ts";
import { StreamStore } from "./store.ts";
import { type StreamStartResult, StreamWriter } from "./writer.ts";

/**
 * A stream by its id.
 * @example
 * const answer = hf.stream<string>("answer:7");
 * void answer.pipe(model.answer(prompt));
 * for await (const event of answer.read()) if (event.type === "chunk") show(event.value);
 */
export class Stream<T> {
  readonly id: string;
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #settings: StreamSettings<T>;
  readonly #store: StreamStore;

  constructor(core: Core, id: string, given?: StreamOptions<T>) {
    this.id = id;
    this.#core = core;
    this.#operations = new Operations("stream", id);
    this.#settings = streamSettings(core, this.#operations.where, given);
    this.#store = new StreamStore(core, id, this.#settings);
  }

  /**
   * Becomes its producer, if there is none. Of a stream whose producer has died the writer goes on behind its last chunk.
   * Cost: one script; a script each third of `lease` while it is held.
   */
  start(): Promise<StreamStartResult<T>> {
    return this.#operations.run("start", this.id, async () => {
      const { runtime } = this.#core.driver;
      const token = runtime.randomUUID();
      const grantedAt = runtime.now();
      const started = await this.#store.start(token).catch((error: unknown) => {
        // What it may have been granted is left to others.
        void this.#store.release(token).catch(() => undefined);
        throw error;
      });
      if (started.status === "busy") return started;
      if (started.status === "over") return { status: "over", as: started.as === "end" ? "end" : "aborted" };
      const grant = { ...started, token, grantedAt };
      return {
        status: "ok",
        writer: new StreamWriter(this.#core, this.#store, this.#operations, this.id, this.#settings, grant),
      };
    });
  }

  /**
   * Writes what `source` yields, chunk by chunk, and ends the stream; where `source` throws, or the writing is refused, it is aborted.
   * Resolves when that is done, and rejects with what `source` has thrown. Readers need not wait for it.
   * Cost: as `start`, `write` and `end`.
   */
  pipe(source: StreamSource<T>): Promise<StreamPipeResult> {
    return this.#operations.run("pipe", this.id, () => pipeInto(() => this.start(), source));
  }

  /**
   * Yields the chunks from `from` on and then live, until the stream is over; the last event says how. A stream that nobody has begun
   * is waited for. No I/O until it is iterated.
   * Cost: as reading a topic: one subscription for all readers of this process, and XRANGE for what is older; a script for each `lease` without a chunk.
   */
  read(options?: StreamReadOptions): AsyncGenerator<StreamEvent<T>, undefined, undefined> {
    return readStream(this.#core, this.#store, this.#settings, streamReading(this.#operations.where, options));
  }

  /**
   * As `read`, the chunks alone: for those who want all of it or an error.
   * @throws HoldfastError `ABORTED` where the stream broke off, has lost chunks or does not exist
   */
  async *values(options?: StreamReadOptions): AsyncGenerator<T, undefined, undefined> {
    for await (const event of this.read(options)) {
      if (event.type === "chunk") yield event.value;
      else if (event.type === "end") return undefined;
      else throw this.#broken(event);
    }
    return undefined;
  }

  #broken(event: Exclude<StreamEvent<T>, { type: "chunk" | "end" }>): HoldfastError {
    const why = event.type === "aborted" ? "its producer broke it off" : `it is not whole (${event.type})`;
    return new HoldfastError("ABORTED", `${this.#operations.where}: ${why}`, { op: "stream.values", key: this.id });
  }
}
