/**
 * The servers' time without asking for it each time: how far their clocks are ahead of this process's own, asked once a minute. Of several primaries the one that
 * is furthest ahead counts, and of a question the moment at which it was sent: what `now` says is never behind a server's clock, except for its drift within a minute.
 */
import { type ErrorDetails, UnavailableError } from "../../base/errors.ts";
import type { Driver, Reply } from "../../driver/port.ts";

const SYNC_MS = 60_000;
const RETRY_MS = 1_000;
/** Of one caller, while other servers keep coming and going. */
const MAX_ATTEMPTS = 5;

const clocks = new WeakMap<Driver, ServerClock>();

export class ServerClock {
  readonly #driver: Driver;
  /** Undefined until every primary has said its time. */
  #aheadMs: number | undefined;
  #askAt = 0;
  #syncs = 0;
  #syncing: Promise<void> | undefined;

  private constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** That of the handle. */
  static of(driver: Driver): ServerClock {
    let clock = clocks.get(driver);
    if (clock === undefined) clocks.set(driver, (clock = new ServerClock(driver)));
    return clock;
  }

  /** Milliseconds since 1970, or undefined where they are not known yet. */
  now(): number | undefined {
    const own = this.#driver.runtime.now();
    if (own >= this.#askAt) this.#syncing = this.#sync();
    return this.#aheadMs === undefined ? undefined : own + this.#aheadMs;
  }

  /** As `now`, asked where it is not known yet, and again where what was asked was forgotten meanwhile. */
  async known(): Promise<number | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const now = this.now();
      if (now !== undefined) return now;
      const syncs = this.#syncs;
      await this.#syncing;
      if (syncs === this.#syncs) break;
    }
    return this.now();
  }

  /**
   * As `known`, for what cannot be done without it.
   * @throws UnavailableError while the servers' time is not known
   */
  async required(label: string, details: ErrorDetails): Promise<number> {
    const now = await this.known();
    if (now !== undefined) return now;
    throw new UnavailableError(`${label}: the server does not say its time`, details);
  }

  /** Another server may answer from now on. */
  forget(): void {
    this.#aheadMs = undefined;
    this.#askAt = 0;
    this.#syncs += 1;
  }

  async #sync(): Promise<void> {
    const { runtime } = this.#driver;
    this.#askAt = runtime.now() + RETRY_MS;
    const sync = (this.#syncs += 1);
    try {
      const ahead = await Promise.all(this.#driver.nodes().map(({ id }) => this.#ask(id)));
      if (sync !== this.#syncs || ahead.length === 0) return;
      this.#aheadMs = Math.max(...ahead);
      this.#askAt = runtime.now() + SYNC_MS;
    } catch {
      // A server is away: asked again at the next call.
    }
  }

  async #ask(node: string): Promise<number> {
    const sentAt = this.#driver.runtime.now();
    const [seconds, micros] = (await this.#driver.send(["TIME"], { op: "clock", class: "read" }, { node })) as Reply[];
    return Number(seconds) * 1_000 + Number(micros) / 1_000 - sentAt;
  }
}
