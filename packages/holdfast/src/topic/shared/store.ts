/** The server's side of a subscription of kind `shared` in one partition; what its state looks like is in lua/include/shared.lua. */
import type { Core } from "../../core/core.ts";
import type { LogKeys } from "../../core/log/keys.ts";
import type { LogPoint } from "../../core/log/pack.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import { subscriptionKeys, type SubscriptionKeys, wakeKeyOf } from "../keys.ts";
import {
  sharedClaim,
  type SharedClaimResult,
  sharedSeek,
  sharedSettle,
  type SharedSettleArgs,
} from "../scripts.gen.ts";

/** A claim of one message: only the newest one settles it. */
export interface Token {
  /** The offset; of a redriven dead letter `c` and its name. */
  readonly member: string;
  readonly tag: number;
  readonly generation: number;
  /** When it was to be claimable again when it was claimed, by the server's clock. */
  readonly dueAt: number;
}

/** `due`: claimable in `ms`. `release`: the same, and the delivery does not count. `extend`: not claimable for `ms`. */
export interface Settlement {
  readonly token: Token;
  readonly verb: "ack" | "due" | "release" | "extend";
  readonly ms: number;
  /** A message that is still there if this one is: of those from the log, the end of that when it was claimed. */
  readonly point?: LogPoint | undefined;
}

export type SettlementStatus = "ok" | "stale";
export type Claimed = Extract<SharedClaimResult, { status: "claimed" }>;

export interface ClaimTerms {
  readonly count: number;
  readonly visibilityMs: number;
  /** Where a new subscription begins: the offset before, or -1 for the end. */
  readonly start: number;
  /** The newest message that the consumer knows of. */
  readonly seen: LogPoint;
}

/** Nothing is known of any message. */
export const NOWHERE: LogPoint = { epoch: 0, offset: 0, at: 0 };

const DELIVERIES = 256;

export function deliveryOf(tag: number): number {
  return tag % DELIVERIES;
}

export interface SharedStoreParts {
  readonly core: Core;
  readonly topic: string;
  readonly subscription: string;
  readonly log: LogKeys;
  /** Of this consumer alone; a text of fixed length. */
  readonly consumer: string;
  readonly timeoutMs: number | undefined;
  /** 0: never. */
  readonly expiresMs: number;
}

export class SharedStore {
  readonly #parts: SharedStoreParts;
  readonly #keys: SubscriptionKeys;
  readonly #claimed: string;
  readonly #wake: string;
  #op = 0;
  /** Whether the last claim may have been executed without an answer: then it is asked for its answer. */
  #isOpen = false;

  constructor(parts: SharedStoreParts) {
    this.#parts = parts;
    const { core, topic, subscription, log, consumer } = parts;
    this.#keys = subscriptionKeys(log, subscription);
    this.#claimed = log.group.part(`claimed:${consumer}`, subscription);
    this.#wake = wakeKeyOf(core, topic, subscription);
  }

  get keys(): SubscriptionKeys {
    return this.#keys;
  }

  /** One at a time. After one that failed the next one has the answer of that, if it was executed, whatever its own terms. */
  async claim({ count, visibilityMs, start, seen }: ClaimTerms): Promise<Claimed> {
    const { core, subscription, log, expiresMs } = this.#parts;
    if (!this.#isOpen) this.#op += 1;
    const check = core.lateCopies || this.#isOpen;
    const terms = { subscription, op: this.#op, check, count, visibilityMs, expiresMs, start };
    const args = { ...terms, seen: seen.offset, seenAt: seen.at, seenEpoch: seen.epoch };
    const { state, redriven } = this.#keys;
    const keys = { meta: log.meta, log: log.log, state, cursors: log.cursors, redriven, claimed: this.#claimed };
    this.#isOpen = true;
    const result = await runScript(core.driver, sharedClaim, keys, args, this.#call("claim"), () => ({
      ...args,
      check: true,
    }));
    this.#isOpen = false;
    // Only a copy of an earlier claim is late, and nobody waits for its answer.
    return result as Claimed;
  }

  /** The outcomes in their order. Those of an older generation than the newest among them are stale. */
  async settle(all: readonly Settlement[], wakes = false): Promise<SettlementStatus[]> {
    const generation = all.reduce((newest, { token }) => Math.max(newest, token.generation), 0);
    const isCurrent = ({ token }: Settlement): boolean => token.generation === generation;
    const areCurrent = all.every(isCurrent);
    const stale = await this.#stale(generation, areCurrent ? all : all.filter(isCurrent), wakes);
    if (areCurrent && stale?.size === 0) return all.map(() => "ok");
    return all.map((each) => (isCurrent(each) && stale?.has(each.token.member) === false ? "ok" : "stale"));
  }

  /** Members that are no longer claimed as their tokens say; undefined: none is. */
  async #stale(
    generation: number,
    settlements: readonly Settlement[],
    wakes: boolean,
  ): Promise<Set<string> | undefined> {
    const { core } = this.#parts;
    const wake = wakes ? this.#wake : "";
    const { offset, at, epoch } = newestOf(settlements);
    const seen = { newest: offset, newestAt: at, epoch };
    const terms = { generation, again: false, ...seen, wakeChannel: core.wakeups.channel, wake };
    // A late copy of an acknowledgement could meet a later claim.
    const quick = core.lateCopies ? [] : settlements.filter(isQuick);
    if (quick.length > 0) {
      const exact = quick.length === settlements.length ? [] : settlements.filter((each) => !isQuick(each));
      const dueAt = quick.reduce((least, { token }) => Math.min(least, token.dueAt), Infinity);
      const rest = quick.map(({ token }) => token.member).concat(...exact.map(wordsOf));
      const result = await this.#settle({ ...terms, dueAt, acks: quick.length, rest });
      if (result.status !== "doubtful") return result.status === "ok" ? new Set(result.stale) : undefined;
    }
    const result = await this.#settle({ ...terms, dueAt: 0, acks: 0, rest: settlements.flatMap(wordsOf) });
    return result.status === "ok" ? new Set(result.stale) : undefined;
  }

  /** @param before the offset before the next one; -1: the end */
  async seek(before: number): Promise<void> {
    const { core, subscription, log, expiresMs } = this.#parts;
    const { state, redriven } = this.#keys;
    const keys = { meta: log.meta, log: log.log, state, cursors: log.cursors, redriven };
    const args = { subscription, before, expiresMs, wakeChannel: core.wakeups.channel, wake: this.#wake };
    await runScript(core.driver, sharedSeek, keys, args, this.#call("seek"));
  }

  #settle(args: SharedSettleArgs) {
    const { state, records, redriven } = this.#keys;
    const { core, log } = this.#parts;
    const keys = { meta: log.meta, log: log.log, state, records, redriven };
    const again = (): SharedSettleArgs => ({ ...args, again: true });
    return runScript(core.driver, sharedSettle, keys, args, this.#call("settle"), again);
  }

  #call(verb: string): UnclassedCall {
    return { op: `topic.${verb}`, key: this.#parts.topic, timeoutMs: this.#parts.timeoutMs };
  }
}

/** That one there, what was claimed with it and before is as it was read. From the end, where it mostly is. */
function newestOf(settlements: readonly Settlement[]): LogPoint {
  let newest = NOWHERE;
  for (let at = settlements.length - 1; at >= 0; at -= 1) {
    const each = settlements[at]!;
    if (Number(each.token.member) > newest.offset) newest = each.point ?? newest;
  }
  return newest;
}

function isQuick({ token, verb }: Settlement): boolean {
  return verb === "ack" && !token.member.startsWith("c");
}

function wordsOf({ token, verb, ms }: Settlement): string[] {
  return [token.member, String(token.tag), verb, String(ms)];
}
