/** The handle: one connection, one factory per primitive. The only place that knows them all. */
import { Cache } from "./cache/cache.ts";
import type { CacheOptions } from "./cache/options.ts";
import type { Core } from "./core.ts";
import type { Driver, StateEvent } from "./driver/port.ts";
import type { Id } from "./keyspace/keyspace.ts";
import { scanKeys } from "./keyspace/scan.ts";
import type { ScanOptions } from "./keyspace/scan.ts";
import type { SessionsOptions } from "./sessions/options.ts";
import { Sessions } from "./sessions/sessions.ts";

export class Holdfast implements AsyncDisposable {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The floor under the primitives, for commands of your own: deadlines and retries apply as the call's class says. */
  get driver(): Driver {
    return this.#core.driver;
  }

  /** Values with a time to live, loaded once for the whole fleet. */
  cache<V>(name: string, options: CacheOptions<V> = {}): Cache<V> {
    return new Cache<V>(this.#core, name, options);
  }

  /** Sessions of users and visitors: read in one round trip, ended for good. */
  sessions<Data extends object, Device = unknown>(options: SessionsOptions<Data> = {}): Sessions<Data, Device> {
    return new Sessions<Data, Device>(this.#core, options);
  }

  /** A full key name for commands of your own. All names of one `group` are of one cluster slot. */
  key(group: string, name: Id): string {
    return this.#core.keys.group("key", group).part("of", name);
  }

  /** Pages of the full names of this handle's keys; `head` narrows it, as in `cache:users:`. Cost: SCAN on every primary. */
  scan(head = "", options: ScanOptions = {}): AsyncGenerator<string[]> {
    return scanKeys(this.#core.driver, `${this.#core.keys.prefix}:${head}`, options);
  }

  /** Resolves when a server answers. Cost: PING. */
  async ping(): Promise<void> {
    await this.#core.driver.send(["PING"], { op: "ping", class: "read" });
  }

  /** Told when a node is reached (`up`), lost (`down`), and at the end (`closed`). Returns the function that ends the listening. */
  onState(listener: (event: StateEvent) => void): () => void {
    return this.#core.driver.onState(listener);
  }

  /** Ends background work, releases what is held, closes the connection. Idempotent. */
  close(): Promise<void> {
    return this.#core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
