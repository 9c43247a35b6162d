/**
 * One process's part in one partition of a shared subscription: what it has claimed there, and until when.
 *
 *     claimed -> waits -> runs -> ended (settled by one script with others)
 *                  |        |
 *                  +--------+-> lost: claimed by somebody else, or moved by a seek; its outcome does not count
 */
import { LeaseLostError } from "../../base/errors.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import type { LogFeed, LogListener } from "../../core/log/feed.ts";
import type { LogPack, LogPoint } from "../../core/log/pack.ts";
import type { TopicGap } from "../subscription.ts";
import type { Delivery, DeliveryOwner, Done, Outcome } from "./delivery.ts";
import { type KeptPacks, PackReader } from "./packs.ts";
import { Reading } from "./reading.ts";
import type { Ending, Settling } from "./settling.ts";
import {
  type Claimed,
  NOWHERE,
  type Settlement,
  type SettlementStatus,
  type SharedStore,
  type Token,
} from "./store.ts";

type Verb = Settlement["verb"];

/** How a delivery ends, on its way to the server. */
class DeliveryEnding implements Ending {
  readonly #owner: SharedPartition;
  readonly delivery: Delivery;
  readonly verb: Verb;
  readonly ms: number;
  readonly done: Done | undefined;
  readonly outcome: Outcome | undefined;

  constructor(
    owner: SharedPartition,
    delivery: Delivery,
    verb: Verb,
    ms: number,
    done: Done | undefined,
    outcome: Outcome | undefined,
  ) {
    this.#owner = owner;
    this.delivery = delivery;
    this.verb = verb;
    this.ms = ms;
    this.done = done;
    this.outcome = outcome;
  }

  get token(): Token {
    return this.delivery.token;
  }

  get point(): LogPoint | undefined {
    return this.delivery.point;
  }

  settled(status: SettlementStatus): void {
    this.#owner.ended(this, status === "ok");
  }
}

export interface PartitionParts {
  readonly partition: number;
  readonly runtime: Runtime;
  readonly store: SharedStore;
  readonly settling: Settling;
  readonly feed: LogFeed;
  /** Of the subscription. */
  readonly kept: KeptPacks;
  /** A redriven dead letter, as a pack of one; undefined: it is gone, or dead again. */
  readonly letter: (token: Token) => Promise<LogPack | undefined>;
  readonly visibilityMs: number;
  readonly pollMs: number;
  /** Of the subscription, where it is new. */
  readonly start: number;
  /** There may be something to claim. */
  readonly onHungry: () => void;
  readonly onGap: (gap: TopicGap) => void;
  /** The feed has ended. */
  readonly onFailure: (error: unknown) => void;
}

export class SharedPartition implements DeliveryOwner {
  readonly partition: number;
  /** There may be something to claim. */
  isHungry = true;
  isClaiming = false;
  readonly #parts: PartitionParts;
  readonly #listener: LogListener;
  readonly #packs: PackReader;
  readonly #reading: Reading;
  readonly #held = new Map<string, Delivery>();
  /** The newest offset that was heard of since the last claim began. */
  #heardOf = 0;
  #generation = 0;
  #epoch = 0;
  /** The end of the log at the last claim. */
  #head: LogPoint = NOWHERE;
  /** Server's clock minus this process's. */
  #clockOffset = 0;
  #start: number;
  #askedAt = -Infinity;
  #due: Timer | undefined;
  #dueAt = Infinity;
  #isClosed = false;

  constructor(parts: PartitionParts) {
    this.partition = parts.partition;
    this.#parts = parts;
    this.#start = parts.start;
    this.#packs = new PackReader(parts.feed, parts.kept);
    this.#reading = new Reading({ ...parts, owner: this, packs: this.#packs });
    this.#listener = parts.feed.listen(() => this.#heard(), parts.onFailure);
  }

  /** Claimed and not settled. */
  get held(): number {
    return this.#held.size;
  }

  /** The server's time. */
  get serverNow(): number {
    return this.#parts.runtime.now() + this.#clockOffset;
  }

  /** Looks where it has not for a while. */
  poll(): void {
    if (this.#parts.runtime.now() - this.#askedAt > this.#parts.pollMs / 2) this.look();
  }

  look(): void {
    this.isHungry = true;
    this.#parts.onHungry();
  }

  /** One at a time. With 0 it makes sure that the subscription is there. */
  async claim(count: number): Promise<Delivery[]> {
    const { runtime, store, visibilityMs } = this.#parts;
    const sentAt = runtime.now();
    this.#askedAt = sentAt;
    this.#heardOf = 0;
    const claimed = await store.claim({ count, visibilityMs, start: this.#start, seen: this.#seen });
    const { generation, epoch, now, ageMs } = claimed;
    this.#follow(claimed);
    this.#clockOffset = now + ageMs - runtime.now();
    if (count > 0) this.#rest(claimed, count);
    // The answer may be that of an earlier attempt.
    const claimedAt = sentAt - ageMs;
    const validUntil = claimedAt + visibilityMs;
    const term = { generation, epoch, head: this.#head, dueAt: now + visibilityMs, claimedAt, validUntil };
    const deliveries = await this.#reading.read(claimed, term);
    for (const delivery of deliveries) this.#hold(delivery);
    return deliveries;
  }

  /** Notes that the subscription is in use. */
  async keep(): Promise<void> {
    if (this.isClaiming) return;
    this.isClaiming = true;
    try {
      // Of a claim before whose answer was lost.
      for (const delivery of await this.claim(0)) this.settle(delivery, "release", 0);
    } finally {
      this.isClaiming = false;
      this.#parts.onHungry();
    }
  }

  /** Whether this process may begin with it. */
  begin(delivery: Delivery, now: number): boolean {
    if (delivery.state !== "waits") return false;
    if (delivery.validUntil <= now) this.#lose(delivery, "it was not begun in time");
    else delivery.state = "runs";
    return delivery.state === "runs";
  }

  /** @param done told whether it counted, once that is known */
  settle(delivery: Delivery, verb: Verb, ms: number, done?: Done, outcome?: Outcome): void {
    if (delivery.state === "lost") return done?.(false, outcome);
    delivery.state = "ended";
    this.#parts.settling.add(new DeliveryEnding(this, delivery, verb, ms, done, outcome));
  }

  /** An ending is settled. */
  ended({ delivery, verb, ms, done, outcome }: DeliveryEnding, isValid: boolean): void {
    this.forget(delivery);
    if (isValid && verb !== "ack") this.#lookIn(ms);
    done?.(isValid, outcome);
  }

  /** It is settled. */
  forget(delivery: Delivery): void {
    const { member } = delivery.token;
    if (this.#held.get(member) === delivery) this.#held.delete(member);
  }

  lost(delivery: Delivery): void {
    this.#lose(delivery, "it was delivered again");
  }

  /** Keeps what is held: called a few times within the visibility. */
  renew(): void {
    const { runtime, visibilityMs } = this.#parts;
    const now = runtime.now();
    for (const delivery of this.#held.values()) {
      if (delivery.validUntil <= now) this.#expire(delivery);
      const isKept = delivery.state === "waits" || delivery.state === "runs";
      if (isKept && delivery.validUntil - now < (visibilityMs * 2) / 3) this.#extend(delivery);
    }
  }

  #extend(delivery: Delivery): void {
    const { runtime, settling, visibilityMs } = this.#parts;
    const sentAt = runtime.now();
    const { token, point } = delivery;
    const settled = (status: SettlementStatus): void => {
      if (status === "ok") delivery.validUntil = Math.max(delivery.validUntil, sentAt + visibilityMs);
      else if (delivery.state !== "ended") this.lost(delivery);
    };
    settling.add({ token, verb: "extend", ms: visibilityMs, point, settled });
  }

  /** Gives up what has not begun, without counting a delivery, and calls the rest off. */
  close(): void {
    this.#isClosed = true;
    this.#parts.runtime.clearTimeout(this.#due);
    this.#listener.close();
    for (const delivery of this.#held.values()) {
      if (delivery.state === "waits") this.settle(delivery, "release", 0);
      else if (delivery.state === "runs") {
        delivery.callOff(this.#reason("closed", delivery, "its subscription was closed"));
        this.settle(delivery, "due", 0);
        // Whoever has it next is not to be disturbed by what its handler says after that.
        delivery.state = "lost";
      }
    }
  }

  /** One that this process had before is with this claim now. */
  #hold(delivery: Delivery): void {
    const { member } = delivery.token;
    const before = this.#held.get(member);
    if (before !== undefined) this.lost(before);
    this.#held.set(member, delivery);
  }

  /** The newest message that this process knows of: all that it has read lies before it. */
  get #seen(): LogPoint {
    const { feed } = this.#parts;
    const known = [this.#head, { epoch: feed.epoch, offset: feed.head, at: feed.at }, this.#packs.newest ?? NOWHERE];
    return known.reduce(
      (newest, each) => (each.epoch === this.#epoch && each.offset > newest.offset ? each : newest),
      NOWHERE,
    );
  }

  #heard(): void {
    this.#heardOf = Math.max(this.#heardOf, this.#parts.feed.head);
    this.look();
  }

  #follow({ generation, epoch, head, at, from, gone, lost }: Claimed): void {
    const { partition, onGap, feed } = this.#parts;
    if (this.#generation !== 0 && generation !== this.#generation) {
      for (const delivery of this.#held.values()) this.#lose(delivery, "its subscription goes on from another place");
    }
    if (lost) feed.forget();
    if (lost || (this.#epoch !== 0 && epoch !== this.#epoch)) {
      onGap({ kind: "reset", partition, from: undefined, to: undefined, count: undefined });
    }
    if (gone > 0) onGap({ kind: "gap", partition, from: from - gone, to: from - 1, count: gone });
    this.#generation = generation;
    this.#epoch = epoch;
    this.#head = { epoch, offset: head, at };
    // Should its state be lost, all that is there may be what it has missed.
    this.#start = 0;
  }

  /** Fewer than wanted: there are no more, except those that are heard of or due later. */
  #rest({ head, count, due, nextDue, now }: Claimed, wanted: number): void {
    this.isHungry = count + due.length >= wanted || this.#heardOf > head;
    if (this.isHungry) return;
    this.#dueAt = Infinity;
    if (nextDue >= 0) this.#lookIn(Math.max(nextDue - now, 0));
  }

  /** What is due after the next poll, that will see. */
  #lookIn(ms: number): void {
    const { runtime, pollMs } = this.#parts;
    const at = runtime.now() + ms;
    if (ms > pollMs || at >= this.#dueAt || this.#isClosed) return;
    this.#dueAt = at;
    runtime.clearTimeout(this.#due);
    this.#due = runtime.setTimeout(() => {
      this.#dueAt = Infinity;
      this.look();
    }, ms + 1);
  }

  /** Nobody may have claimed it yet, so what runs may still end well; what has not begun is left to others. */
  #expire(delivery: Delivery): void {
    if (delivery.state === "waits") this.#lose(delivery, "it was not begun in time");
    else if (delivery.state === "runs")
      delivery.callOff(this.#reason("expired", delivery, "its visibility could not be extended in time"));
  }

  #lose(delivery: Delivery, why: string): void {
    this.forget(delivery);
    if (delivery.state !== "ended") delivery.lose(this.#reason("stolen", delivery, why));
  }

  #reason(reason: LeaseLostError["reason"], { offset }: Delivery, why: string): LeaseLostError {
    return new LeaseLostError(reason, `message ${offset} of partition ${this.partition}: ${why}`, {
      op: "topic.subscribe",
    });
  }
}
