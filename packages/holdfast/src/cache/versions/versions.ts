/**
 * Which entries of one cache are valid still: its invalidations by tag and its clearings, whole or by prefix, in the order of their sequence.
 *
 * The server has the state of a cache in one sorted set (`lua/invalidate.lua`), each invalidation takes the next sequence, and an entry carries the
 * sequence that was known before its value was read. It is valid while neither the cache or a prefix of its id was cleared since nor one of its tags invalidated. A process keeps
 * what it has learned and asks for what is newer only:
 *
 *     the server says when the state changes (RESP3 tracking) ... asked then; reads cost nothing
 *     a cluster, whose nodes say so each by itself .............. the same for what is in memory; a read from the server asks along with it
 *     it cannot say so .......................................... a read from the server asks along with it
 *
 * An older sequence than the true one is never wrong: it makes an entry invalid that need not be. So is a state that was lost (evicted, expired): it begins
 * with a sequence of the server's clock, and whatever was stored before is invalid.
 */
import { nextTick } from "../../base/runtime.ts";
import { ServerClock } from "../../core/clock/server-clock.ts";
import type { Core } from "../../core/core.ts";
import { Histogram } from "../../core/observe/histogram.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { Call } from "../../driver/port.ts";
import type { Invalid } from "../l1/memory.ts";
import { begin, clearPrefix, invalidate } from "../scripts.gen.ts";
import { type Keeper, Keepers } from "./keepers.ts";
import { KnownTags, MAX_TAGS } from "./known-tags.ts";
import { type Followed, News } from "./news.ts";
import { MAX_PREFIXES, Prefixes } from "./prefixes.ts";
import { listFrom, numberOf, pairsOf } from "./replies.ts";
import { KEEP_MS, Upkeep } from "./upkeep.ts";

/** What is asked for at a time; where more has changed, a process begins again. */
const MAX_NEWS = 1_000;

const OP = "cache.versions";
/** Of questions that nobody waits for. */
const OWN_TIMEOUT_MS = 1_000;

const all = new WeakMap<Core, Map<string, Versions>>();

/** How an invalidation is sent. */
export interface InvalidateCall extends UnclassedCall {
  readonly timeoutMs: number;
}

export class Versions {
  /** Between invalidations by others and when this process heard of them. */
  readonly lag: Histogram = new Histogram();
  readonly #core: Core;
  readonly #key: string;
  readonly #news: News;
  readonly #state: Followed;
  readonly #tags = new KnownTags((tags, timeoutMs) => this.#ask(tags, timeoutMs));
  readonly #prefixes: Prefixes;
  readonly #keepers = new Keepers();
  readonly #upkeep: Upkeep;
  #sequence = 0;
  #cleared = 0;
  #floor = 0;
  #invalidations = 0;
  #isReady = false;
  /** Questions under way, by how long whoever has asked waits: cache objects of the same name may differ in that. */
  readonly #beginning = new Map<number, Promise<void>>();
  readonly #asking = new Map<number, Promise<void>>();

  private constructor(core: Core, name: string) {
    this.#core = core;
    this.#key = core.keys.entries("versions", name).key(name);
    this.#prefixes = new Prefixes(core, name, this.#keepers);
    this.#upkeep = new Upkeep(core, () => (this.#prefixes.last === 0 ? [this.#key] : [this.#key, this.#prefixes.key]));
    this.#news = News.of(core);
    this.#state = this.#news.follow(this.#key, (isReported) => void this.#heard(isReported).catch(() => undefined));
  }

  /** That of the handle for the cache of this name. */
  static of(core: Core, name: string): Versions {
    let known = all.get(core);
    if (known === undefined) all.set(core, (known = new Map()));
    let versions = known.get(name);
    if (versions === undefined) known.set(name, (versions = new Versions(core, name)));
    return versions;
  }

  /** Hears when entries have become invalid that have no tag for it. */
  join(keeper: Keeper): void {
    this.#keepers.join(keeper);
  }

  /** Whether a sequence is known at all: before that nothing can be stored or judged. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves once it is. What is called in order goes on in order. */
  ready(op: string, timeoutMs: number): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    let beginning = this.#beginning.get(timeoutMs);
    if (beginning === undefined) {
      const begun = this.#begin(op, timeoutMs);
      this.#beginning.set(timeoutMs, (beginning = begun));
      // What is called before the handle is closed is sent: what waits for this is not sent yet.
      const disown = this.#core.own({ close: () => begun.catch(() => undefined) });
      begun.then(disown, disown);
    }
    return beginning;
  }

  /** For what is stored now. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Of this handle, that were begun. */
  get invalidations(): number {
    return this.#invalidations;
  }

  /** Whether what is known holds for what is in memory. */
  get isCurrent(): boolean {
    return this.#state.known === this.#state.changes;
  }

  /** Whether it holds also for what the server has just replied. */
  get isExact(): boolean {
    return this.isCurrent && !this.#core.driver.caps.cluster;
  }

  /**
   * Whether an entry of this sequence with these tags is valid, as far as it is known; undefined: not without asking about a tag.
   * @param key not needed for what is in memory, which is forgotten when its prefix is cleared
   */
  judge(sequence: number, tags: readonly string[] | undefined, key?: string): boolean | undefined {
    if (sequence < this.#cleared || (key !== undefined && this.#prefixes.concern(key, sequence))) return false;
    if (tags === undefined || tags.length === 0) return true;
    if (sequence < this.#floor) return false;
    let isKnown = true;
    for (const tag of tags) {
      const version = this.#tags.get(tag);
      if (version === undefined) isKnown = false;
      else if (version > sequence) return false;
    }
    return isKnown ? true : undefined;
  }

  /** As `judge`, by what the server knows at the time of this call. */
  async verify(
    key: string,
    sequence: number,
    tags: readonly string[] | undefined,
    timeoutMs: number,
    upToDate?: Promise<void>,
  ): Promise<boolean> {
    if (!this.isExact) await (upToDate ?? this.catchUp(timeoutMs));
    const known = this.judge(sequence, tags, key);
    if (known !== undefined) return known;
    await this.#tags.learn(tags!, timeoutMs);
    return this.judge(sequence, tags, key) ?? false;
  }

  /** Learns what has been invalidated up to now. Calls of the same tick share one ZRANGE. */
  catchUp(timeoutMs: number): Promise<void> {
    let asking = this.#asking.get(timeoutMs);
    if (asking === undefined) {
      asking = new Promise<void>((resolve, reject) => {
        nextTick(() => {
          this.#asking.delete(timeoutMs);
          this.#catchUp(timeoutMs).then(resolve, reject);
        });
      });
      this.#asking.set(timeoutMs, asking);
    }
    return asking;
  }

  async invalidate(invalid: Invalid, call: InvalidateCall): Promise<void> {
    this.#invalidations += 1;
    if (invalid !== "all" && "prefix" in invalid) return this.#clearPrefix(invalid.prefix, call);
    const tags = invalid === "all" ? [] : invalid.tags;
    const args = { keepMs: KEEP_MS, max: MAX_TAGS, tags };
    const result = await runScript(this.#core.driver, invalidate, { state: this.#key }, args, call);
    if (result.status === "lost") return this.#beginAgain(call.timeoutMs);
    for (const tag of tags) this.#tags.set(tag, result.sequence);
    await this.#follow(call, result);
  }

  async #clearPrefix(prefix: string, call: InvalidateCall): Promise<void> {
    const keys = { state: this.#key, prefixes: this.#prefixes.key };
    const args = { keepMs: KEEP_MS, max: MAX_PREFIXES, prefix };
    const result = await runScript(this.#core.driver, clearPrefix, keys, args, call);
    if (result.status === "lost") return this.#beginAgain(call.timeoutMs);
    await this.#follow(call, result, [[prefix, result.sequence]]);
  }

  /** Entries without an end are stored. */
  keepForEver(): void {
    this.#upkeep.keepForEver();
  }

  /** An invalidation of this handle is the next one after what is known, or there is more to be learned. */
  async #follow(
    { timeoutMs }: InvalidateCall,
    { before, sequence, cleared, floor }: { before: number; sequence: number; cleared: number; floor: number },
    prefixes: readonly (readonly [string, number])[] = [],
  ): Promise<void> {
    if (before > this.#sequence) return this.#catchUp(timeoutMs);
    this.#clear(this.#prefixes.learn(prefixes));
    this.#advance(sequence, cleared, floor);
  }

  /** A sequence is the server's time of the invalidation, in hundredths of a millisecond. */
  async #heard(isReported: boolean): Promise<void> {
    const [before, at] = [this.#sequence, ServerClock.of(this.#core.driver).now()];
    await this.catchUp(OWN_TIMEOUT_MS);
    if (isReported && at !== undefined && before > 0 && this.#sequence > before)
      this.lag.add(Math.max(0, at - this.#sequence / 100));
  }

  async #begin(op: string, timeoutMs: number): Promise<void> {
    try {
      await this.#beginAgain(timeoutMs, op);
      // Those who have waited go first.
      nextTick(() => (this.#isReady = true));
    } catch (error) {
      this.#beginning.delete(timeoutMs);
      throw error;
    }
  }

  async #beginAgain(timeoutMs: number, op = OP): Promise<void> {
    const since = this.#news.listen(this.#state);
    const [args, call] = [["ZMSCORE", this.#key, "s", "c", "f", "p"], { op, class: "read", timeoutMs } as const];
    const [sequence, cleared, floor, prefixed] = listFrom(await this.#core.driver.send(args, call, this.#key));
    this.#tags.clear();
    if (sequence === null) await this.#create(op, timeoutMs);
    else {
      if (prefixed !== null) this.#clear(await this.#prefixes.ask(numberOf(prefixed!), call));
      this.#sequence = numberOf(sequence!);
      this.#advance(this.#sequence, numberOf(cleared!), floor === null ? 0 : numberOf(floor!));
    }
    this.#upkeep.touch();
    this.#news.caughtUp(this.#state, since);
  }

  async #create(op: string, timeoutMs: number): Promise<void> {
    const [keys, args] = [{ state: this.#key }, { keepMs: KEEP_MS }];
    const { sequence, cleared, floor } = await runScript(this.#core.driver, begin, keys, args, { op, timeoutMs });
    this.#sequence = sequence;
    this.#advance(sequence, cleared, floor);
  }

  async #catchUp(timeoutMs: number): Promise<void> {
    this.#upkeep.touch();
    const call = questionOf(timeoutMs);
    const since = this.#news.listen(this.#state);
    const from = String(this.#sequence);
    const args = ["ZRANGE", this.#key, from, "+inf", "BYSCORE", "LIMIT", "0", String(MAX_NEWS), "WITHSCORES"];
    const found = pairsOf(await this.#core.driver.send(args, call, this.#key));
    const sequence = found.find(([member]) => member === "s")?.[1];
    // The state was lost, or so much has changed that it is shorter to begin again.
    if (sequence === undefined || found.length >= MAX_NEWS) return this.#beginAgain(timeoutMs);
    let [cleared, floor, prefixed] = [0, 0, 0];
    for (const [member, score] of found) {
      if (member === "c") cleared = score;
      else if (member === "f") floor = score;
      else if (member === "p") prefixed = score;
      else if (member.startsWith("t")) this.#tags.set(member.slice(1), score);
    }
    if (prefixed > this.#prefixes.last) this.#clear(await this.#prefixes.ask(prefixed, call));
    this.#advance(sequence, cleared, floor);
    this.#news.caughtUp(this.#state, since);
  }

  async #ask(tags: readonly string[], timeoutMs: number): Promise<void> {
    const call = questionOf(timeoutMs);
    const args = ["ZMSCORE", this.#key, "s", "f", ...tags.map((tag) => `t${tag}`)];
    const [sequence, floor, ...scores] = listFrom(await this.#core.driver.send(args, call, this.#key));
    if (sequence === null) return this.#beginAgain(timeoutMs);
    if (floor !== null) this.#floor = Math.max(this.#floor, numberOf(floor!));
    for (const [at, tag] of tags.entries()) this.#tags.set(tag, scores[at] === null ? 0 : numberOf(scores[at]!));
  }

  #advance(sequence: number, cleared: number, floor: number): void {
    this.#sequence = Math.max(this.#sequence, sequence);
    this.#floor = Math.max(this.#floor, floor);
    this.#clear(cleared);
  }

  #clear(sequence: number): void {
    if (sequence <= this.#cleared) return;
    this.#cleared = sequence;
    this.#keepers.forgetAll();
  }
}

/** What can go on without the answer does not wait for a server that has been silent for longer. */
function questionOf(timeoutMs: number): Call {
  return { op: OP, class: "read", timeoutMs, patienceMs: timeoutMs };
}
