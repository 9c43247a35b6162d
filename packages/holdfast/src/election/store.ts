/** The server's side of one election: what its scripts can be asked. */
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { AttemptCall, Busy } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import type { ElectionSettings } from "./options.ts";
import {
  campaign,
  type CampaignKeys,
  leader,
  list,
  proclaim,
  renew,
  resign,
  type ResignResult,
} from "./scripts.gen.ts";

export interface ElectionGrant {
  readonly status: "acquired";
  readonly term: number;
  /** When the term began, in milliseconds since 1970 by the server's clock. */
  readonly since: number;
}

/** Who leads. */
export interface ElectionLeader<V> {
  /** Rises with each new leader; at least the server's time in microseconds. */
  readonly term: number;
  readonly id: string;
  /** What it campaigned with or has proclaimed since. */
  readonly value: V | undefined;
  /** When the term began, in milliseconds since 1970 by the server's clock. */
  readonly since: number;
}

export interface StoredLeader {
  readonly term: number;
  readonly id: string;
  readonly value: Buffer;
  readonly since: number;
  /** Until it is lost, unless it is renewed. */
  readonly ttlMs: number;
}

/** Who wants to lead. */
export interface ElectionCandidate {
  readonly id: string;
  /** Since when, in milliseconds since 1970 by the server's clock. */
  readonly since: number;
}

/** So many candidates are listed, and looked through for a named one. */
export const MAX_CANDIDATES = 100;

const NOTHING: Buffer = Buffer.alloc(0);

export class ElectionStore<V> {
  readonly name: string;
  /** The election as messages name it. */
  readonly label: string;
  /** On which every change of the leader is announced. */
  readonly channel: string;
  readonly #core: Core;
  readonly #settings: ElectionSettings<V>;
  readonly #keys: Readonly<Record<"leader" | "term" | "queue" | "candidates", string>>;
  readonly #endedOf: (token: string) => string;

  constructor(core: Core, name: string, label: string, settings: ElectionSettings<V>) {
    this.name = name;
    this.label = label;
    this.#core = core;
    this.#settings = settings;
    const keys = core.keys.group("election", name);
    this.channel = core.keys.channel("election", name);
    this.#keys = {
      leader: keys.key,
      term: keys.part("term"),
      queue: keys.part("queue"),
      candidates: keys.part("candidates"),
    };
    this.#endedOf = (token) => keys.part("ended", token);
  }

  /** @param place stay among the candidates when somebody leads; undefined: only ask */
  campaign(token: string, value: Buffer, place: number | undefined, call: AttemptCall): Promise<ElectionGrant | Busy> {
    const { id, ttlMs, lockDelayMs } = this.#settings;
    const { channel } = this;
    const wakeChannel = this.#core.wakeups.channel;
    const waits = { queued: place !== undefined, since: place ?? 0 };
    const args = { token, id, value, ttlMs, lockDelayMs, ...waits, wakeChannel, channel };
    return runScript(this.#core.driver, campaign, this.#keysOf(token), args, this.#call("campaign", call));
  }

  async renew(token: string, ttlMs: number, { timeoutMs, signal }: AttemptCall): Promise<LeaseExtension> {
    const call = this.#call("renew", { timeoutMs: Math.min(timeoutMs, this.#settings.timeoutMs), signal });
    const args = { token, ttlMs, lockDelayMs: this.#settings.lockDelayMs };
    const { leader: key, term } = this.#keys;
    return (await runScript(this.#core.driver, renew, { leader: key, term }, args, call)).status;
  }

  /** @param to the id of who is to follow; empty: the first candidate. `next` is empty where there was none. */
  async resign(token: string, to: string): Promise<{ readonly end: LeaseEnd; readonly next: string }> {
    const result = await this.#end(token, to, false, this.#settings.timeoutMs);
    return { end: result.status, next: result.status === "released" ? result.next : "" };
  }

  /** Ends a request that waits no longer or whose answer was lost. What cannot be ended now, ends by its ttl. */
  async abandon(token: string, timeoutMs: number): Promise<void> {
    await this.#end(token, "", true, timeoutMs).catch(() => undefined);
  }

  async proclaim(token: string, value: Buffer): Promise<"ok" | "expired" | "stolen"> {
    const args = { token, value, channel: this.channel };
    const { leader: key } = this.#keys;
    return (await runScript(this.#core.driver, proclaim, { leader: key }, args, this.#call("proclaim"))).status;
  }

  async leader(): Promise<StoredLeader | undefined> {
    const { leader: key } = this.#keys;
    const answer = await runScript(this.#core.driver, leader, { leader: key }, {}, this.#call("leader"));
    return answer.status === "none" ? undefined : answer;
  }

  candidates(): Promise<ElectionCandidate[]> {
    const { queue, candidates } = this.#keys;
    const args = { limit: MAX_CANDIDATES };
    return runScript(this.#core.driver, list, { queue, candidates }, args, this.#call("candidates"));
  }

  encode(value: V | undefined): Buffer {
    return value === undefined ? NOTHING : this.#codec.encode(value, { aad: this.#keys.leader });
  }

  decode({ term, id, value, since }: StoredLeader): ElectionLeader<V> {
    const decoded = value.length === 0 ? undefined : this.#codec.decode(value, { aad: this.#keys.leader });
    return { term, id, value: decoded, since };
  }

  get #codec(): Codec<V> {
    return this.#settings.codec;
  }

  #end(token: string, to: string, abandon: boolean, timeoutMs: number): Promise<ResignResult> {
    const args = { token, to, abandon, wakeChannel: this.#core.wakeups.channel, channel: this.channel };
    return runScript(this.#core.driver, resign, this.#keysOf(token), args, this.#call("resign", { timeoutMs }));
  }

  #keysOf(token: string): CampaignKeys {
    return { ...this.#keys, ended: this.#endedOf(token) };
  }

  #call(verb: string, call: AttemptCall = this.#settings): UnclassedCall {
    return { op: `election.${verb}`, key: this.name, timeoutMs: call.timeoutMs, signal: call.signal };
  }
}
