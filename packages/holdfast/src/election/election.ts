/**
 * Elections: one leader in the whole fleet, by name, whom everybody knows.
 *
 * What they promise: while the server keeps its data there is at most one leader at a time, each with a higher term, and no
 * two ever have the same term. A leader learns of its loss by its own clock before the server lets anybody else in. One that
 * resigns is followed at once, by the candidate that has waited longest; one that dies after its ttl, and the lock delay. What
 * they cannot promise is in docs/election.md: with asynchronous replication a failover can lose a leader.
 *
 * While the server is away: a campaign waits for it; a leader leads until its ttl is over, then its signal aborts; those who
 * observe are told that the leader is unknown.
 */
import type { Core } from "../core/core.ts";
import { ClosedError, InvalidArgumentError } from "../base/errors.ts";
import { Acquisition } from "../core/lease/acquisition.ts";
import { Patience } from "../core/lease/patience.ts";
import type { Waiting } from "../core/lease/request.ts";
import { TimedLease } from "../core/lease/timed-lease.ts";
import { Operations } from "../core/observe/observe.ts";
import { Follower } from "../core/wait/follower.ts";
import { Leadership } from "./leadership.ts";
import { type ElectionState, Observer } from "./observer.ts";
import {
  campaigning,
  type ElectionCampaignOptions,
  type ElectionLeadOptions,
  type ElectionObserveOptions,
  type ElectionOptions,
  type ElectionSettings,
  electionSettings,
  leading,
  observing,
} from "./options.ts";
import { Candidacy } from "./request.ts";
import { type ElectionLeading, ElectionRunner } from "./runner.ts";
import { type ElectionCandidate, type ElectionLeader, ElectionStore } from "./store.ts";

/** Who leads, as it changes; for `for await`. */
export type ElectionStates<V> = AsyncIterableIterator<ElectionState<V>, undefined, undefined> & AsyncDisposable;

/**
 * An election that can be stood for, any number of times; itself it leads nothing.
 * @example
 * const scheduler = hf.election<string>("scheduler", { ttl: "10s" });
 * await using runner = scheduler.lead(async ({ signal, term }) => schedule({ signal, fence: term }), { value: "10.0.0.7" });
 */
export class Election<V> {
  readonly name: string;
  /** As which the others know this candidate. */
  readonly id: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #store: ElectionStore<V>;
  readonly #settings: ElectionSettings<V>;

  constructor(core: Core, name: string, options?: ElectionOptions<V>) {
    this.name = name;
    this.#core = core;
    this.#operations = new Operations("election", name);
    this.#settings = electionSettings(core, this.#operations.where, options);
    this.#store = new ElectionStore(core, name, this.#operations.where, this.#settings);
    this.id = this.#settings.id;
  }

  /**
   * Waits until it leads, and leads, renewed, until it resigns.
   * Cost: one script when nobody leads; while somebody does, one more about every ttl.
   * @throws TimeoutError when somebody else still led after `wait`, AbortedError when `signal` aborted
   */
  campaign(options?: ElectionCampaignOptions<V>): Promise<Leadership<V>> {
    return this.#operations.run("campaign", this.name, () => {
      const { value, ...waiting } = campaigning(this.#store.label, options);
      return this.#campaign(value, waiting);
    });
  }

  /**
   * Runs `body` whenever this process leads, until the runner, or the handle, is closed: stands for election, runs it, resigns
   * when it has ended (or failed), and stands again. The next leader begins when it has ended, unless the lead was lost before.
   * Cost: as `campaign`, one script per third of the ttl while it leads, and one to resign.
   */
  lead(body: ElectionLeading<V>, options?: ElectionLeadOptions<V>): ElectionRunner<V> {
    const { label } = this.#store;
    if (typeof body !== "function") throw new InvalidArgumentError("body", "a function", body, { where: label });
    const settings = leading(label, options);
    const bytes = this.#store.encode(settings.value);
    const campaign = (signal: AbortSignal): Promise<Leadership<V>> =>
      this.#operations.run("campaign", this.name, () =>
        this.#campaign(settings.value, { waitMs: Infinity, signal }, { bytes, stop: signal }),
      );
    return new ElectionRunner(this.#core, label, settings, campaign, body);
  }

  /**
   * Returns who leads; undefined when nobody does.
   * Cost: one script.
   * @throws UnavailableError or TimeoutError if the server cannot be asked: nobody knows then
   */
  leader(): Promise<ElectionLeader<V> | undefined> {
    return this.#operations.run("leader", this.name, async () => {
      const stored = await this.#store.leader();
      return stored && this.#store.decode(stored);
    });
  }

  /**
   * Returns who wants to lead, in the order in which they will: the first 100.
   * Cost: one script.
   */
  candidates(): Promise<ElectionCandidate[]> {
    return this.#operations.run("candidates", this.name, () => this.#store.candidates());
  }

  /**
   * Yields who leads, and then each change of it; a slow consumer sees the latest. Terms only rise. `unknown` while the server
   * cannot be asked.
   * Cost: SUBSCRIBE, and one script per change and per ttl of the leader.
   */
  observe(options?: ElectionObserveOptions): ElectionStates<V> {
    const signal = observing(this.#store.label, options);
    return new Follower(this.#core, new Observer(this.#store, this.#settings.timeoutMs), signal);
  }

  async #campaign(
    value: V | undefined,
    waiting: Waiting,
    { bytes = this.#store.encode(value), stop }: { readonly bytes?: Buffer; readonly stop?: AbortSignal } = {},
  ): Promise<Leadership<V>> {
    const { runtime } = this.#core.driver;
    const { id, ttlMs, timeoutMs } = this.#settings;
    const terms = { ttlMs, timeoutMs, renew: true, maxHoldMs: Infinity, label: this.#store.label };
    const candidacy = new Candidacy(this.#store, runtime.randomUUID(), bytes);
    const patience = new Patience({
      runtime,
      name: this.name,
      label: this.#store.label,
      op: candidacy.op,
      ...waiting,
      isClosed: () => this.#core.isClosing,
      inVain: () => candidacy.inVain(waiting.waitMs),
    });
    const grant = await new Acquisition(candidacy, terms, runtime).wait(this.#core.wakeups, patience);
    if (this.#core.isClosing) {
      void candidacy.abandon(timeoutMs);
      throw new ClosedError(undefined, { op: candidacy.op, key: this.name });
    }
    const lease: TimedLease = new TimedLease(runtime, candidacy, terms, grant.grantedAt, () => disown());
    // What a runner leads is closed by it, when its function has ended.
    const disown = stop === undefined ? this.#core.own(lease) : (): void => undefined;
    const instance = { operations: this.#operations, store: this.#store };
    return new Leadership(instance, { id, value, stop }, candidacy, grant, lease);
  }
}
