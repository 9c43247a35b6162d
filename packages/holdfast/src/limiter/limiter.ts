/**
 * A rate limiter: for each id, only so much per time.
 *
 * Promises: the decisions of all processes are one sequence, made by the server's clock; a denial takes nothing; a call
 * is counted at most once, because a decision is never sent twice; every key expires by itself. While the server is
 * away, answers come within `timeout` from `onOutage` and say so (`source: "policy"`); only bad input, a closed handle
 * and a misconfigured server (credentials, permissions, a foreign key) reject.
 */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { scriptKind } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import type { Driver } from "../driver/port.ts";
import { HoldfastError, isOutage } from "../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../base/options.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import type { BatchItem, UnclassedCall } from "../core/script/run.ts";
import type { StateKey } from "./algorithm.ts";
import { decidedByPolicy, type LimiterDecision } from "./decision.ts";
import { type LimiterOptions, limiterSettings, type LimiterSettings } from "./options.ts";

export interface LimiterCostOptions {
  /** Units that this call takes. @default 1 */
  readonly cost?: number;
}

const COST_NAMES: OptionNames<LimiterCostOptions> = { cost: true };

interface Question extends BatchItem<StateKey, unknown> {
  readonly cost: number;
}

type Reading = (reply: unknown, cost: number) => LimiterDecision;

/**
 * @example
 * const api = hf.limiter("api", { limit: 100, window: "1m" });
 * const { allowed, retryAfterMs } = await api.consume(userId);
 */
export class Limiter {
  readonly name: string;
  readonly #operations: Operations;
  readonly #driver: Driver;
  readonly #keys: EntryKeys;
  readonly #settings: LimiterSettings;
  readonly #lane = new Lane();
  readonly #consumes: BatchKind<Question, LimiterDecision>;
  readonly #peeks: BatchKind<Question, LimiterDecision>;

  constructor(core: Core, name: string, options: LimiterOptions) {
    this.name = name;
    this.#operations = new Operations("limiter", name);
    this.#driver = core.driver;
    this.#keys = core.keys.entries("limit", name);
    this.#settings = limiterSettings(name, options);
    const { algorithm } = this.#settings;
    const consumed = this.#concluding((reply, cost) => algorithm.consumed(reply, cost));
    const peeked = this.#concluding((reply, cost) => algorithm.peeked(reply, cost));
    const { maxItems } = algorithm;
    const consumes = scriptKind(core.driver, algorithm.consume, this.#call("limiter.consume"), consumed);
    const peeks = scriptKind(core.driver, algorithm.peek, this.#call("limiter.peek"), peeked);
    this.#consumes = { ...consumes, maxItems };
    this.#peeks = { ...peeks, maxItems };
  }

  /**
   * Takes `cost` units of the id's if there are as many; else takes none. Never rejects because of an outage.
   * Cost: one script (GET, and SET if allowed; with `exact` five commands); calls made in the same tick, in the same slot, share it.
   * @throws InvalidArgumentError for a cost above what can ever be allowed at once
   */
  consume(id: Id, options?: LimiterCostOptions): Promise<LimiterDecision> {
    return this.#operations.run("consume", id, () => {
      const cost = this.#cost(options);
      return this.#ask(this.#consumes, id, this.#settings.algorithm.consumeArgs(cost), cost);
    });
  }

  /** Returns what `consume` would return now, and takes nothing. Cost: one script (GET), shared like that of `consume`. */
  peek(id: Id, options?: LimiterCostOptions): Promise<LimiterDecision> {
    return this.#operations.run("peek", id, () => {
      const cost = this.#cost(options);
      return this.#ask(this.#peeks, id, this.#settings.algorithm.peekArgs(cost), cost);
    });
  }

  /** Forgets what the id has taken; false if nothing was remembered. Idempotent. Cost: DEL. */
  reset(id: Id): Promise<boolean> {
    return this.#operations.run("reset", id, async () => {
      const key = this.#key(id);
      this.#lane.flush(this.#driver.slotOf(key));
      const call = { ...this.#call("limiter.reset"), class: "idempotent", key: String(id) } as const;
      return (await this.#driver.send(["DEL", key], call, key)) === 1;
    });
  }

  #ask(kind: BatchKind<Question, LimiterDecision>, id: Id, args: unknown, cost: number): Promise<LimiterDecision> {
    const state = this.#key(id);
    return this.#lane.add(kind, this.#driver.slotOf(state), { keys: { state }, args, key: String(id), cost });
  }

  #key(id: Id): string {
    return this.#keys.part(id, this.#settings.algorithm.part);
  }

  #cost(options: LimiterCostOptions | undefined): number {
    if (options === undefined) return 1;
    const { cost = 1 } = givenOptions(options, COST_NAMES);
    return wholeBetween("cost", cost, 1, this.#settings.algorithm.policy.burst);
  }

  #call(op: string): UnclassedCall {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }

  /** Turns a reply, or an outage, into a decision; other errors are the caller's. */
  #concluding(read: Reading): (outcome: unknown, question: Question) => LimiterDecision {
    const { algorithm, allowOnOutage } = this.#settings;
    return (outcome, { cost }) => {
      if (!(outcome instanceof HoldfastError)) return read(outcome, cost);
      if (isOutage(outcome)) return decidedByPolicy(algorithm.policy, allowOnOutage, outcome);
      throw outcome;
    };
  }
}
