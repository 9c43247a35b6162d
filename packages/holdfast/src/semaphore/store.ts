/** The server's side of one semaphore: what its scripts can be asked. */
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import { runScript } from "../core/script/run.ts";
import { SemaphoreCalls } from "./calls.ts";
import type { SemaphoreSettings } from "./options.ts";
import { abandon, extend, inspect, resize, wait, type WaitResult } from "./scripts.gen.ts";

/** So many permits for one holder. The hold is the same in all its attempts. */
export interface PermitRequest {
  readonly hold: string;
  readonly count: number;
}

export interface SemaphoreHolder {
  /** As `id` of what the holder has. */
  readonly id: string;
  readonly permits: number;
  /** Until they expire, unless they are renewed. */
  readonly ttlMs: number;
}

export interface SemaphoreInfo {
  /** That `resize` has stored, else the `permits` of this process. */
  readonly limit: number;
  /** Whether `resize` has stored it. */
  readonly resized: boolean;
  /** Permits that are held; more than the limit after it was lowered. */
  readonly held: number;
  /** Requests that wait. */
  readonly waiters: number;
  /** At most as many as were asked for, those first whose permits expire first. */
  readonly holders: readonly SemaphoreHolder[];
}

type SemaphoreKeys = Readonly<Record<"permits" | "state" | "queue" | "alive", string>>;

export class SemaphoreStore {
  readonly name: string;
  readonly #core: Core;
  readonly #calls: SemaphoreCalls;
  readonly #keys: SemaphoreKeys;
  readonly #settings: SemaphoreSettings;

  constructor(core: Core, name: string, settings: SemaphoreSettings) {
    this.#core = core;
    this.#calls = SemaphoreCalls.of(core);
    this.name = name;
    this.#settings = settings;
    const keys = core.keys.group("semaphore", name);
    this.#keys = {
      permits: keys.key,
      state: keys.part("state"),
      queue: keys.part("queue"),
      alive: keys.part("alive"),
    };
  }

  /** `place`: stay in the queue where they are not to be had; undefined: only ask. */
  async acquire(
    request: PermitRequest,
    place: number | undefined,
    call: AttemptCall,
  ): Promise<Exclude<WaitResult, { status: "busy" }> | { status: "busy"; ttlMs: number; since: number }> {
    const { limit, ttlMs, strict } = this.#settings;
    const args = { ...request, limit, ttlMs, strict };
    if (place === undefined) {
      const answer = await this.#calls.acquire(this.name, this.#keys, args, call);
      return answer.status === "busy" ? { ...answer, since: 0 } : answer;
    }
    const placed = { ...args, since: place, wakeChannel: this.#core.wakeups.channel };
    return runScript(this.#core.driver, wait, this.#keys, placed, { op: "semaphore.acquire", key: this.name, ...call });
  }

  async extend({ hold }: PermitRequest, ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    const { permits, state } = this.#keys;
    const options = { op: "semaphore.extend", key: this.name, ...call };
    return (await runScript(this.#core.driver, extend, { permits, state }, { hold, ttlMs }, options)).status;
  }

  async release(request: PermitRequest): Promise<LeaseEnd | "unclear"> {
    let repeated = false;
    const { status } = await this.#calls.release(
      this.name,
      this.#keys,
      { ...request, ...this.#giving() },
      this.#settings.timeoutMs,
      () => (repeated = true),
    );
    if (status === "released") return status;
    return repeated ? "unclear" : "expired";
  }

  async abandon(request: PermitRequest, timeoutMs: number): Promise<void> {
    this.#calls.flush(this.#keys.permits);
    const options = { op: "semaphore.release", key: this.name, timeoutMs };
    const args = { ...request, ...this.#giving() };
    await runScript(this.#core.driver, abandon, this.#keys, args, options).catch(() => undefined);
  }

  /** Returns how many permits are held. @param limit undefined: the stored one is forgotten */
  async resize(limit: number | undefined): Promise<number> {
    this.#calls.flush(this.#keys.permits);
    const options = { op: limit === undefined ? "semaphore.reset" : "semaphore.resize", key: this.name };
    const giving = this.#giving();
    const args = { ...giving, limit: limit ?? giving.limit, set: limit !== undefined };
    return (await runScript(this.#core.driver, resize, this.#keys, args, options)).held;
  }

  async inspect(most: number): Promise<SemaphoreInfo> {
    this.#calls.flush(this.#keys.permits);
    const { permits, state, alive } = this.#keys;
    const options = { op: "semaphore.info", key: this.name };
    const answer = await runScript(this.#core.driver, inspect, { permits, state, alive }, { most }, options);
    const { limit, held, waiters, at } = answer;
    const holders = answer.holders.map(({ hold, endsAt }) => ({
      id: hold.slice(0, hold.indexOf(":")),
      permits: Number(hold.slice(hold.indexOf(":") + 1)),
      ttlMs: endsAt - at,
    }));
    return { limit: limit ?? this.#settings.limit, resized: limit !== null, held, waiters, holders };
  }

  /** What a script needs to hand over what is free. */
  #giving(): { limit: number; strict: boolean; wakeChannel: string } {
    const { limit, strict } = this.#settings;
    return { limit, strict, wakeChannel: this.#core.wakeups.channel };
  }
}
