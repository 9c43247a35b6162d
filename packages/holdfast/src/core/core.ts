/** What every primitive stands on: one driver, one keyspace, the handle's codec settings and what must be closed with it. */
import { Door } from "../base/door.ts";
import type { Loose } from "../base/options.ts";
import { nextTick } from "../base/runtime.ts";
import { type CodecOptions, createCodec, mergeCodecOptions, type PartCodec } from "./codec/codec.ts";
import type { Driver } from "../driver/port.ts";
import { LogFeeds } from "./log/feeds.ts";
import { LogProducers } from "./log/producers.ts";
import type { TraceHooks } from "./observe/trace.ts";
import type { Keyspace } from "./keyspace/keyspace.ts";
import { Wakeups } from "./wait/wakeups.ts";

/** Something with work in the background: closed before the connection is. */
export interface Closable {
  close(): Promise<void>;
}

export interface CoreOptions {
  readonly keys: Keyspace;
  readonly codec: CodecOptions<unknown>;
  readonly trace?: TraceHooks | undefined;
}

export class Core {
  readonly driver: Driver;
  readonly keys: Keyspace;
  readonly wakeups: Wakeups;
  readonly logs: LogFeeds;
  readonly producers: LogProducers;
  /** Those whose end `close` waits for are called through doors inside this one. */
  readonly handlers: Door = new Door();
  /** How the user's tracer is asked. */
  readonly trace: TraceHooks | undefined;
  readonly #codecDefaults: CodecOptions<unknown>;
  readonly #owned = new Set<Closable>();
  #closing: Promise<void> | undefined;

  constructor(driver: Driver, options: CoreOptions) {
    this.driver = driver;
    this.keys = options.keys;
    this.trace = options.trace;
    this.wakeups = new Wakeups(driver, this.keys);
    this.logs = new LogFeeds(driver);
    this.producers = new LogProducers(driver.runtime);
    this.#codecDefaults = options.codec;
  }

  /** Whether a request that was given up may be executed late, so that scripts need their marks against it. */
  get lateCopies(): boolean {
    return this.driver.caps.fencing === "none";
  }

  /** Whether nothing new may begin. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** A codec with the codec options among a primitive's over the handle's; what is undefined is the handle's. */
  codec<T>(options: Loose<CodecOptions<T>>): PartCodec<T> {
    return createCodec(mergeCodecOptions(this.#codecDefaults, options));
  }

  /** Registers background work; the returned function takes it out again when it ended by itself. */
  own(resource: Closable): () => void {
    this.#owned.add(resource);
    return () => this.#owned.delete(resource);
  }

  /** Idempotent. A handler that calls it is not waited for by what it gets, but by the close itself. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.handlers.waiting(this.#closing);
  }

  async #close(): Promise<void> {
    // Not waited for yet: a subscription that is being made on a server that is stopped ends with the driver only.
    const wakeups = this.wakeups.close().catch(() => undefined);
    this.logs.close();
    await this.#closeOwned();
    // Sent by then: what was called before this and waits to be merged, and what those give back who were woken and leave.
    await turnOver();
    await this.driver.close();
    // What was begun after the first round and before the driver refused it: else it would wait for ever.
    await this.#closeOwned();
    await wakeups;
  }

  async #closeOwned(): Promise<void> {
    await Promise.allSettled([...this.#owned].map((resource) => resource.close()));
  }
}

/** Resolves when the promise callbacks of this tick have run, and the lanes after them. */
function turnOver(): Promise<void> {
  return new Promise((resolve) => {
    nextTick(resolve);
  });
}
