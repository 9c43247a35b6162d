/**
 * Where the dead letters of a subscription lie: in the slot of the partition that their messages come from, so that one script makes a dead
 * letter of a message and settles it. A letter is named by its message's place, so it is there once however often it is sent.
 *
 *     bury -> dead -> redrive -> redriven (handled again from its record) -> done: forgotten
 *               |                    +--------> bury: dead again
 *               +---> remove: forgotten
 */
import { CodecError } from "../../base/errors.ts";
import { type BatchKind, Lane } from "../../core/batch/lane.ts";
import { orThrow, scriptKind } from "../../core/batch/script-kind.ts";
import type { LogPack } from "../../core/log/pack.ts";
import { type BatchItem, runScript, type UnclassedCall } from "../../core/script/run.ts";
import { subscriptionKeys, type SubscriptionKeys } from "../keys.ts";
import {
  deadBury,
  type DeadBuryArgs,
  type DeadBuryKeys,
  type DeadBuryResult,
  deadPage,
  deadRedrive,
  deadRemove,
} from "../scripts.gen.ts";
import type { TopicSource } from "../source.ts";
import {
  decodeLetter,
  encodeLetter,
  keptOf,
  type LetterHead,
  letterName,
  type LetterRecord,
  placeOf,
  RedrivenPack,
  type TopicDeadReason,
  unreadable,
  wordsOf,
} from "./record.ts";

/** Of a message by a shared subscription. */
interface Claim {
  readonly member: string;
  readonly generation: number;
  readonly tag: number;
}

/** Of the partition, by an ordered subscription. */
export interface LetterOwner {
  readonly fence: number;
  /** Of a redriven letter, its place among those; else empty. */
  readonly place: string;
}

/** A message that is given up. */
export interface Burial {
  readonly partition: number;
  readonly pack: LogPack;
  readonly offset: number;
  readonly deliveries: number;
  readonly reason: TopicDeadReason;
  readonly error: unknown;
  /** How a shared subscription has claimed it. */
  readonly claim?: Claim;
  readonly owner?: LetterOwner;
}

/** A dead letter that was put back, and waits for the owner of its partition. */
export interface RedrivenLetter {
  readonly name: string;
  /** Among those that were put back: rises, and no letter has one twice. */
  readonly place: number;
  /** Undefined: it is gone, or cannot be read and is dead again as it is. */
  readonly pack: LogPack | undefined;
}

export interface StoredLetter extends LetterRecord {
  /** Among those of its partition. */
  readonly name: string;
  readonly partition: number;
  /** Orders them: the time of death in milliseconds, times `SCORES_PER_MS`. */
  readonly score: number;
}

type BuryItem = BatchItem<DeadBuryKeys, DeadBuryArgs>;

export const SCORES_PER_MS = 1_024;
/** Of a partition; the oldest go. */
const MAX_LETTERS = 100_000;
const KEEP_MS = 30 * 86_400_000;
const NO_CLAIM = { member: "", generation: 0, tag: 0 } as const;
const NO_OWNER: LetterOwner = { fence: 0, place: "" };

export class DeadLetterStore {
  readonly subscription: string;
  readonly #source: TopicSource<unknown>;
  readonly #keys: readonly SubscriptionKeys[];
  readonly #lane = new Lane();
  readonly #burials: BatchKind<BuryItem, DeadBuryResult>;

  constructor(source: TopicSource<unknown>, subscription: string) {
    this.subscription = subscription;
    this.#source = source;
    this.#keys = source.logs.map((log) => subscriptionKeys(log, subscription));
    this.#burials = scriptKind(source.core.driver, deadBury, this.#call("bury"), orThrow);
  }

  get partitions(): number {
    return this.#keys.length;
  }

  /**
   * Makes a dead letter of a message, once: safe to repeat. Returns `stale` where it is claimed otherwise by now.
   * Cost: one script for all of the tick and the partition.
   */
  async bury({ partition, pack, offset, deliveries, reason, error, ...by }: Burial): Promise<"ok" | "stale"> {
    const head: LetterHead = { publishedAt: pack.at, deliveries, reason, error: wordsOf(error) };
    const record = encodeLetter(this.#source.info.encode(head), keptOf(pack, offset));
    // A letter does not lie in the log.
    const publishedAt = pack instanceof RedrivenPack ? 0 : pack.at;
    return this.#bury(partition, letterName(pack.epoch, offset), record, by, publishedAt);
  }

  async #bury(
    partition: number,
    letter: string,
    record: Buffer,
    { claim = NO_CLAIM, owner = NO_OWNER }: Pick<Burial, "claim" | "owner">,
    publishedAt = 0,
  ): Promise<"ok" | "stale"> {
    const { meta, log } = this.#source.logs[partition]!;
    const { state, dead, records, redriven, owned } = this.#keys[partition]!;
    const message = { letter, record, ...placeOf(letter), publishedAt };
    const args = { ...message, ...claim, ...owner, maxLetters: MAX_LETTERS, keepMs: KEEP_MS };
    const item = { keys: { meta, log, state, dead, records, redriven, owned }, args };
    const { status } = await this.#lane.add(this.#burials, this.#source.core.driver.slotOf(state), item);
    return status;
  }

  /** Those that died behind `after`, the first in front. Cost: one script. */
  page(partition: number, after: number, limit: number): Promise<StoredLetter[]> {
    const { dead, records } = this.#keys[partition]!;
    return this.#page(partition, { of: dead, records }, after, limit);
  }

  /** How many there are. Cost: ZCARD. */
  async count(partition: number): Promise<number> {
    return this.#count(this.#keys[partition]!.dead);
  }

  /** Puts them back to the subscription, in the order in which they died; returns how many of them were dead. @param wake what wakes its members */
  redrive(partition: number, letters: readonly string[], wake: string): Promise<number> {
    const { core } = this.#source;
    const { state, dead, records, redriven } = this.#keys[partition]!;
    const args = { wakeChannel: core.wakeups.channel, wake, letters };
    return runScript(core.driver, deadRedrive, { state, dead, records, redriven }, args, this.#call("redrive"));
  }

  /** Returns how many of them were dead. */
  remove(partition: number, letters: readonly string[]): Promise<number> {
    const { dead, records } = this.#keys[partition]!;
    if (letters.length === 0) return Promise.resolve(0);
    return runScript(this.#source.core.driver, deadRemove, { dead, records }, { letters }, this.#call("remove"));
  }

  /** Put back behind this place and not handled yet, in their order, for the owner of the partition. Cost: one script. */
  async redriven(partition: number, fence: number, after: number, limit: number): Promise<RedrivenLetter[]> {
    const { redriven, records } = this.#keys[partition]!;
    const rows = await this.#rows({ of: redriven, records }, after, limit);
    // Where its record was evicted, it is gone.
    return Promise.all(
      rows.map(async ({ letter: name, score: place, record }) => {
        const owner = { fence, place: String(place) };
        const pack = record.length === 0 ? undefined : await this.#redriven(partition, name, record, { owner });
        return { name, place, pack };
      }),
    );
  }

  /**
   * Whether this one is dead, or was put back.
   * @param at when its message was published: after a failover the letter may be that of a lost one, in whose place another stands
   * Cost: two ZSCORE, and HGET where there is a letter.
   */
  async has(partition: number, name: string, at: number): Promise<boolean> {
    const call = { ...this.#call("read"), class: "read" } as const;
    const { dead, records, redriven } = this.#keys[partition]!;
    const { driver } = this.#source.core;
    const scores = await Promise.all([dead, redriven].map((key) => driver.send(["ZSCORE", key, name], call, key)));
    if (scores.every((score) => score === null)) return false;
    const record = await driver.send(["HGET", records, name], call, records);
    // Where its record was evicted, it is gone.
    if (!Buffer.isBuffer(record)) return false;
    try {
      return decodeLetter(name, record, this.#decodeHead).pack.at === at;
    } catch (error) {
      if (error instanceof CodecError) return true;
      throw error;
    }
  }

  /** How many were put back and are not handled. Cost: ZCARD. */
  async redrivenCount(partition: number): Promise<number> {
    return this.#count(this.#keys[partition]!.redriven);
  }

  /** Forgets all, with the subscription. */
  async clear(partition: number): Promise<void> {
    const { dead, records, redriven } = this.#keys[partition]!;
    const call = { ...this.#call("remove"), class: "idempotent" } as const;
    await this.#source.core.driver.send(["UNLINK", dead, records, redriven], call, dead);
  }

  /** The message of one of them, as a pack of one; undefined: it is gone, or cannot be read, and is dead again as it is. Cost: HGET. */
  async message(partition: number, name: string, claim?: Claim): Promise<LogPack | undefined> {
    const { records } = this.#keys[partition]!;
    const call = { ...this.#call("read"), class: "read" } as const;
    const bytes = await this.#source.core.driver.send(["HGET", records, name], call, records);
    return Buffer.isBuffer(bytes)
      ? this.#redriven(partition, name, bytes, claim === undefined ? {} : { claim })
      : undefined;
  }

  /** Undefined: it cannot be read, and is dead again as it is. */
  async #redriven(
    partition: number,
    name: string,
    record: Buffer,
    by: Pick<Burial, "claim" | "owner">,
  ): Promise<LogPack | undefined> {
    try {
      return RedrivenPack.of(decodeLetter(name, record, this.#decodeHead).pack);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      await this.#bury(partition, name, record, by);
      return undefined;
    }
  }

  /** Those whose records are there. */
  async #page(
    partition: number,
    keys: { readonly of: string; readonly records: string },
    after: number,
    limit: number,
  ): Promise<StoredLetter[]> {
    const rows = await this.#rows(keys, after, limit);
    return rows
      .filter(({ record }) => record.length > 0)
      .map(({ letter: name, score, record }) => ({ ...this.#read(name, record), name, partition, score }));
  }

  #rows(keys: { readonly of: string; readonly records: string }, after: number, limit: number) {
    const { driver } = this.#source.core;
    return runScript(driver, deadPage, keys, { after: String(after), limit }, this.#call("page"));
  }

  async #count(of: string): Promise<number> {
    const call = { ...this.#call("read"), class: "read" } as const;
    return Number(await this.#source.core.driver.send(["ZCARD", of], call, of));
  }

  /** One that cannot be read does not hide the others. */
  #read(name: string, record: Buffer): LetterRecord {
    try {
      return decodeLetter(name, record, this.#decodeHead);
    } catch (error) {
      if (error instanceof CodecError) return unreadable(name, error);
      throw error;
    }
  }

  readonly #decodeHead = (bytes: Buffer): LetterHead => this.#source.info.decode(bytes) as LetterHead;

  #call(verb: string): UnclassedCall {
    return { op: `topic.dead.${verb}`, key: this.#source.name, timeoutMs: this.#source.settings.timeoutMs };
  }
}
