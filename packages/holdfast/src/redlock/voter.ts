/**
 * One server as a voter: who it is, and whether its votes count.
 *
 * A server that dies without its data has forgotten to whom it gave its vote, and could give it to another. So what has run
 * for less than the longest ttl does not count: by then all that it may have forgotten is over (Redlock's delayed restart,
 * enforced here). The server is asked for its age once per connection, for no process outlives its connections: an answer
 * counts if the connection is still the one on which the age was learnt. Where a proxy may stand between it is asked each time.
 */
import { InvalidArgumentError, said } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import { usableMs } from "../core/lease/timed-lease.ts";
import type { RedlockSettings } from "./options.ts";

/** An answer, and whether the vote that it may be counts. */
export interface Answer<T> {
  readonly reply: T;
  readonly counts: boolean;
}

interface Standing {
  /** Of the connection on which it was learnt. */
  readonly epoch: number | undefined;
  readonly runId: string;
  readonly history: string;
  /** On the clock of the runtime. */
  readonly votesFrom: number;
}

/** Servers report their age in whole seconds. */
const AGE_UNIT_MS = 1_000;

export class Voter {
  readonly core: Core;
  readonly #place: number;
  readonly #settings: RedlockSettings;
  #standing: Standing | undefined;
  /** Why it can be none, as it seemed the last time. */
  #mistake: InvalidArgumentError | undefined;

  /** @param place among the servers, from 1, for messages */
  constructor(core: Core, place: number, settings: RedlockSettings) {
    this.core = core;
    this.#place = place;
    this.#settings = settings;
  }

  /**
   * Asks the server, and whether its answer counts.
   * @param others who must be other servers
   * @throws InvalidArgumentError where this one is no independent primary
   */
  async ask<T>(send: () => Promise<T>, others: readonly Voter[], call: AttemptCall): Promise<Answer<T>> {
    if (this.#standing === undefined || this.#standing.epoch !== this.#epoch) await this.#learn(others, call);
    const reply = await send();
    if (this.core.lateCopies) await this.#learn(others, call);
    const { epoch, votesFrom } = this.#standing!;
    return { reply, counts: epoch === this.#epoch && this.core.driver.runtime.now() >= votesFrom };
  }

  /** Asks it who it is, if that is not known or not as it should be. @throws InvalidArgumentError where it is no independent primary */
  async introduce(others: readonly Voter[], call: AttemptCall): Promise<void> {
    if (this.#standing === undefined || this.isMistaken) await this.#learn(others, call);
  }

  get isMistaken(): boolean {
    return this.#mistake !== undefined;
  }

  get #epoch(): number | undefined {
    return this.core.driver.nodes()[0]?.epoch;
  }

  async #learn(others: readonly Voter[], { timeoutMs, signal }: AttemptCall): Promise<void> {
    const call = { op: "redlock.inspect", class: "read", timeoutMs, signal, patienceMs: timeoutMs } as const;
    const info = String(await this.core.driver.send(["INFO", "server", "replication"], call));
    const [runId, history] = [field(info, "run_id"), field(info, "master_replid")];
    this.#mistake = this.#mistakeIn(info, runId, history, others);
    if (this.#mistake !== undefined) throw this.#mistake;
    this.#standing = { epoch: this.#epoch, runId, history, votesFrom: this.#votesFrom(runId, info) };
  }

  #mistakeIn(info: string, runId: string, history: string, others: readonly Voter[]): InvalidArgumentError | undefined {
    const own = `the ${nth(this.#place)}`;
    if (field(info, "redis_mode") === "cluster") return this.#refused(`${own} is a cluster`);
    if (field(info, "role") === "slave") return this.#refused(`${own} is a replica`);
    for (const other of others) {
      const standing = other.#standing;
      if (other === this || standing === undefined) continue;
      const both = `the ${nth(Math.min(this.#place, other.#place))} and the ${nth(Math.max(this.#place, other.#place))}`;
      // A server that does not say who it is cannot be compared.
      if (runId !== "" && standing.runId === runId) return this.#refused(`${both} are the same server`);
      if (history !== "" && standing.history === history) return this.#refused(`${both} replicate one from the other`);
    }
    return undefined;
  }

  #votesFrom(runId: string, info: string): number {
    const { delayedRestart, maxTtlMs } = this.#settings;
    if (!delayedRestart) return -Infinity;
    const now = this.core.driver.runtime.now();
    const waitMs = maxTtlMs + (maxTtlMs - usableMs(maxTtlMs));
    // Another process than before, and an old one: a replica took over, which may not know of the latest votes.
    const last = this.#standing;
    const replaced = last !== undefined && last.runId !== runId ? now + waitMs : -Infinity;
    const kept = last !== undefined && last.runId === runId ? last.votesFrom : -Infinity;
    const ageMs = Number(field(info, "uptime_in_seconds")) * AGE_UNIT_MS;
    return Math.max(replaced, kept, now + waitMs + AGE_UNIT_MS - ageMs);
  }

  #refused(what: string): InvalidArgumentError {
    return new InvalidArgumentError("servers", "primaries that know nothing of each other", said(what), {
      where: "redlock",
    });
  }
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
}

export function nth(place: number): string {
  return `${place}${["st", "nd", "rd"][place - 1] ?? "th"}`;
}
