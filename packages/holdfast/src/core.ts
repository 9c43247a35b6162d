/** What every primitive stands on: one driver, one keyspace, the handle's codec settings and what must be closed with it. */
import { createCodec } from "./codec/codec.ts";
import type { Codec, CodecOptions } from "./codec/codec.ts";
import type { Driver } from "./driver/port.ts";
import { Keyspace } from "./keyspace/keyspace.ts";
import { Wakeups } from "./wait/wakeups.ts";

/** Something with work in the background: closed before the connection is. */
export interface Closable {
  close(): Promise<void>;
}

export interface CoreOptions {
  readonly prefix: string;
  readonly codec: CodecOptions<unknown>;
}

export class Core {
  readonly driver: Driver;
  readonly keys: Keyspace;
  readonly wakeups: Wakeups;
  readonly #codecDefaults: CodecOptions<unknown>;
  readonly #owned = new Set<Closable>();

  constructor(driver: Driver, options: CoreOptions) {
    this.driver = driver;
    this.keys = new Keyspace(options.prefix);
    this.wakeups = new Wakeups(driver, this.keys);
    this.#codecDefaults = options.codec;
  }

  /** A codec with the primitive's settings over the handle's. */
  codec<T>(options: CodecOptions<T>): Codec<T> {
    return createCodec<T>({ ...(this.#codecDefaults as CodecOptions<T>), ...options });
  }

  /** Registers background work; the returned function takes it out again when it ended by itself. */
  own(resource: Closable): () => void {
    this.#owned.add(resource);
    return () => this.#owned.delete(resource);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#owned].map((resource) => resource.close()));
    this.#owned.clear();
    await this.wakeups.close().catch(() => undefined);
    await this.driver.close();
  }
}
