/** A sorted set: each member's score by hash, and all members in order of score, then of member. */
import type { Config } from "../config/config.ts";
import { IndexedMap, type Node, type ScanStep } from "../structures/indexed-map.ts";
import { RankedBlocks } from "../structures/ranked-blocks.ts";
import { sample } from "../structures/sample.ts";
import { Collection } from "./value.ts";

export interface Member extends Node {
  score: number;
}

export type ScoredMember = readonly [score: number, member: string];

/** Ranks from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export class SortedSetValue extends Collection {
  readonly type = "zset";
  readonly #config: Config;
  readonly #members = new IndexedMap<Member>();
  readonly #order = new RankedBlocks<Member>();
  /** Redis would still keep it in a listpack. Like there, a set that grew out of it never returns. */
  #compact = true;

  constructor(config: Config) {
    super();
    this.#config = config;
  }

  /** A set of distinct members which are all known already, so that it need not grow out of a listpack. */
  static of(config: Config, members: readonly ScoredMember[]): SortedSetValue {
    const zset = new SortedSetValue(config);
    const longest = members.reduce((length, [, member]) => Math.max(length, member.length), 0);
    zset.#compact = zset.#fits(members.length, longest);
    for (const [score, member] of members) zset.#add(member, score);
    return zset;
  }

  get size(): number {
    return this.#members.size;
  }

  get isCompact(): boolean {
    return this.#compact;
  }

  /** SORT does so in Redis, whatever the size. */
  leaveListpack(): void {
    this.#compact = false;
  }

  score(member: string): number | undefined {
    return this.#members.get(member)?.score;
  }

  /** Adds a member or changes its score; NaN is not allowed. */
  set(member: string, score: number): void {
    const known = this.#members.get(member);
    if (known === undefined) this.#add(member, score);
    else if (known.score !== score) this.#order.move(known, this.#stored(score));
  }

  #add(key: string, score: number): void {
    if (this.#compact) this.#compact = this.#fits(this.size + 1, key.length);
    const node = { key, score: this.#stored(score) };
    this.#members.add(node);
    this.#order.add(node);
  }

  #fits(size: number, longest: number): boolean {
    const config = this.#config;
    return size <= config.number("zset-max-listpack-entries") && longest <= config.number("zset-max-listpack-value");
  }

  /** A listpack keeps whole numbers as integers, which know no negative zero. */
  #stored(score: number): number {
    return score === 0 && this.#compact ? 0 : score;
  }

  delete(member: string): boolean {
    const node = this.#members.delete(member);
    if (node === undefined) return false;
    this.#order.delete(node);
    return true;
  }

  /** Number of members before this one, or undefined when it is not inside. */
  rank(member: string): number | undefined {
    const node = this.#members.get(member);
    return node === undefined ? undefined : this.#order.rank(node);
  }

  /** Number of members with a score below this one, or up to it. */
  countScores(score: number, inclusive: boolean): number {
    return this.#order.countScores(score, inclusive);
  }

  /** Number of members for which `isLess` holds; they must all stand before the others. */
  countMembers(isLess: (member: string) => boolean): number {
    return this.#order.countKeys(isLess);
  }

  slice({ start, end }: Span): Member[] {
    return this.#order.slice(start, end);
  }

  deleteSlice({ start, end }: Span): Member[] {
    const removed = this.#order.deleteSlice(start, end);
    for (const { key } of removed) this.#members.delete(key);
    return removed;
  }

  /** In order. */
  values(): Iterable<Member> {
    return this.#order.values();
  }

  scan(cursor: number, count: number): ScanStep<Member> {
    return this.#members.scan(cursor, count);
  }

  /** The set must not be empty. */
  random(random: () => number): Member {
    return this.#members.random(random) as Member;
  }

  /** Up to `count` different members. */
  sample(count: number, random: () => number): Member[] {
    return sample(this.#members, count, random);
  }

  copy(): SortedSetValue {
    const copy = new SortedSetValue(this.#config);
    copy.#compact = this.#compact;
    for (const { key, score } of this.values()) copy.set(key, score);
    return copy;
  }

  encoding(): string {
    return this.#compact ? "listpack" : "skiplist";
  }

  override *elements(): Generator<string, void, undefined> {
    for (const { key } of this.values()) yield key;
  }
}
