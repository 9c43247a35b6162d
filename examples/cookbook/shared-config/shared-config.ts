/**
 * A configuration in several files that many processes read and one replaces now and then: nobody reads half of the old and half
 * of the new. A stale one is fetched by one process while the others read on; they are kept out only while it is written.
 */
import type { Holdfast, RwLock } from "holdfast";

export type Config = Readonly<Record<string, string>>;

/** Where it is kept, file by file: a network share, a bucket. Nothing there is atomic over several files. */
export interface Files {
  read(file: string): Promise<string | undefined>;
  /** Refuses a fence below the highest it has seen: of a writer that was stopped and does not know that it has lost the lock. */
  write(file: string, text: string, fence: number): Promise<void>;
}

export class SharedConfig {
  readonly #lock: RwLock;
  readonly #files: Files;
  readonly #names: readonly string[];

  constructor(hf: Holdfast, files: Files, names: readonly string[]) {
    this.#lock = hf.rwlock("config", { ttl: "10s" });
    this.#files = files;
    this.#names = names;
  }

  /** All files, as one writer has left them. */
  read(): Promise<Config> {
    return this.#lock.read.run(() => this.#readAll());
  }

  async replace(config: Config): Promise<void> {
    await this.#lock.write.run((held) => this.#writeAll(config, held.fence));
  }

  /** Fetches a new one where `isStale` says so: one process at a time, and the others read meanwhile. */
  async refresh(isStale: (config: Config) => boolean, fetch: () => Promise<Config>): Promise<Config> {
    return this.#lock.upgradable.run(async (held) => {
      const current = await this.#readAll();
      if (!isStale(current)) return current;
      const next = await fetch();
      const writing = await held.upgrade({ wait: "1m" });
      await this.#writeAll(next, writing.fence);
      // Others may read from here on; that this process reads what it has written is certain as well.
      await writing.downgrade();
      return this.#readAll();
    });
  }

  async #readAll(): Promise<Config> {
    const texts = await Promise.all(this.#names.map((name) => this.#files.read(name)));
    return Object.fromEntries(this.#names.map((name, nth) => [name, texts[nth] ?? ""]));
  }

  async #writeAll(config: Config, fence: number): Promise<void> {
    for (const name of this.#names) await this.#files.write(name, config[name] ?? "", fence);
  }
}
