/** The server's side of one read-write lock: what its scripts can be asked. */
import type { Core } from "../core/core.ts";
import type { AttemptCall, Busy } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import { abandon, acquire, downgrade, extend, inspect, release, upgrade } from "./scripts.gen.ts";

/** To read, to write, or to read and perhaps write later. */
export type Mode = "r" | "w" | "u";

export interface RwLockGrant {
  readonly status: "acquired";
  readonly fence: number;
}

export interface RwLockInfo {
  readonly mode: "free" | "read" | "write";
  /** Holders that read, with the upgradable one. */
  readonly readers: number;
  /** Whether one of them is upgradable. */
  readonly upgradable: boolean;
  /** Of the last writer; 0 where it is not known. */
  readonly fence: number;
  /** Until the last hold expires, unless it is renewed. */
  readonly ttlMs: number;
  /** Requests that wait, of readers and upgradable ones, and of writers. */
  readonly waiting: { readonly readers: number; readonly writers: number };
}

type RwLockKeys = Readonly<Record<"holds" | "state" | "readers" | "writers" | "alive", string>>;

export class RwLockStore {
  readonly name: string;
  readonly #core: Core;
  readonly #keys: RwLockKeys;
  readonly #timeoutMs: number;

  constructor(core: Core, name: string, timeoutMs: number) {
    this.#core = core;
    this.name = name;
    this.#timeoutMs = timeoutMs;
    const keys = core.keys.group("rwlock", name);
    this.#keys = {
      holds: keys.key,
      state: keys.part("state"),
      readers: keys.part("readers"),
      writers: keys.part("writers"),
      alive: keys.part("alive"),
    };
  }

  /** `place`: stay in the queue when it is not this request's turn; undefined: only ask. */
  acquire(
    request: { token: string; mode: Mode; ttlMs: number },
    place: number | undefined,
    call: AttemptCall,
  ): Promise<RwLockGrant | Busy> {
    const args = { ...request, queued: place !== undefined, since: place ?? 0, wakeChannel: this.#channel };
    return runScript(this.#core.driver, acquire, this.#keys, args, this.#call("acquire", call));
  }

  async extend(token: string, ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    const { holds, state } = this.#keys;
    const args = { token, ttlMs };
    return (await runScript(this.#core.driver, extend, { holds, state }, args, this.#call("extend", call))).status;
  }

  async release(token: string): Promise<LeaseEnd | "unclear"> {
    let repeated = false;
    const args = { token, wakeChannel: this.#channel };
    const again = (): typeof args => {
      repeated = true;
      return args;
    };
    const call = this.#call("release", { timeoutMs: this.#timeoutMs });
    const { status } = await runScript(this.#core.driver, release, this.#keys, args, call, again);
    if (status === "released") return status;
    return repeated ? "unclear" : "expired";
  }

  async abandon(token: string, mode: Mode, timeoutMs: number): Promise<void> {
    const args = { token, mode, wakeChannel: this.#channel };
    const call = this.#call("release", { timeoutMs });
    await runScript(this.#core.driver, abandon, this.#keys, args, call).catch(() => undefined);
  }

  async upgrade(
    request: { token: string; ttlMs: number },
    place: number | undefined,
    call: AttemptCall,
  ): Promise<RwLockGrant | Busy | { status: "expired" }> {
    const args = { ...request, queued: place !== undefined, wakeChannel: this.#channel };
    const answer = await runScript(this.#core.driver, upgrade, this.#keys, args, this.#call("upgrade", call));
    return answer.status === "busy" ? { ...answer, since: 1 } : answer;
  }

  async downgrade(token: string, upgradable: boolean, timeoutMs: number = this.#timeoutMs): Promise<"ok" | "expired"> {
    const args = { token, upgradable, wakeChannel: this.#channel };
    const call = this.#call("downgrade", { timeoutMs });
    return (await runScript(this.#core.driver, downgrade, this.#keys, args, call)).status;
  }

  async inspect(): Promise<RwLockInfo> {
    const { holds, state, readers, writers } = this.#keys;
    const keys = { holds, state, readers, writers };
    const call = { op: "rwlock.info", key: this.name };
    const found = await runScript(this.#core.driver, inspect, keys, {}, call);
    const { writing, upgradable, fence, ttlMs, waitingReaders, waitingWriters } = found;
    const count = writing ? 0 : found.holders;
    return {
      mode: writing ? "write" : count > 0 ? "read" : "free",
      readers: count,
      upgradable: upgradable && !writing,
      fence,
      ttlMs,
      waiting: { readers: waitingReaders, writers: waitingWriters },
    };
  }

  get #channel(): string {
    return this.#core.wakeups.channel;
  }

  #call(verb: string, call: AttemptCall): UnclassedCall {
    return { op: `rwlock.${verb}`, key: this.name, ...call };
  }
}
