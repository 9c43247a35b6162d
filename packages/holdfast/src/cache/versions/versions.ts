/**
 * Which entries of one cache are valid still: its invalidations by tag and its clearings, in the order of their sequence.
 *
 * The server has the state of a cache in one sorted set (`lua/invalidate.lua`), each invalidation takes the next sequence, and an entry carries the
 * sequence that was known before its value was read. It is valid while neither the cache was cleared since nor one of its tags invalidated. A process keeps
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
import type { Core } from "../../core/core.ts";
import { runScript } from "../../core/script/run.ts";
import type { Call, Reply } from "../../driver/port.ts";
import { begin, invalidate } from "../scripts.gen.ts";
import { type Followed, News } from "./news.ts";

/** How long the state outlives its last use: longer than any entry that is worth keeping. Each process says every hour that it uses it. */
const KEEP_MS = 90 * 24 * 3_600_000;
const TOUCH_MS = 3_600_000;
/** Tags that the server knows at most, and a process. */
const MAX_TAGS = 10_000;
/** What is asked for at a time; where more has changed, a process begins again. */
const MAX_NEWS = 1_000;

const OP = "cache.versions";

const all = new WeakMap<Core, Map<string, Versions>>();

export class Versions {
  readonly #core: Core;
  readonly #key: string;
  readonly #timeoutMs: number;
  readonly #read: Call;
  readonly #news: News;
  readonly #state: Followed;
  /** Tags by their last invalidation, 0 for those without. */
  readonly #tags = new Map<string, number>();
  readonly #onCleared = new Set<WeakRef<{ forgetAll(): void }>>();
  #sequence = 0;
  #cleared = 0;
  #floor = 0;
  #invalidations = 0;
  #touchedAt = Number.NEGATIVE_INFINITY;
  #ready: Promise<void> | undefined;
  #isReady = false;
  #asking: Promise<void> | undefined;
  readonly #learning = new Map<string, Promise<void>>();

  private constructor(core: Core, key: string, timeoutMs: number) {
    this.#core = core;
    this.#key = key;
    this.#timeoutMs = timeoutMs;
    this.#read = { op: OP, class: "read", timeoutMs };
    this.#news = News.of(core);
    this.#state = this.#news.follow(key, () => void this.catchUp().catch(() => undefined));
  }

  /** That of the handle for the cache of this name. */
  static of(core: Core, name: string, timeoutMs: number): Versions {
    let known = all.get(core);
    if (known === undefined) all.set(core, (known = new Map()));
    let versions = known.get(name);
    if (versions === undefined)
      known.set(name, (versions = new Versions(core, core.keys.entries("versions", name).key(name), timeoutMs)));
    return versions;
  }

  /** Told when all entries have become invalid. */
  join(memory: { forgetAll(): void }): void {
    for (const reference of this.#onCleared) if (reference.deref() === undefined) this.#onCleared.delete(reference);
    this.#onCleared.add(new WeakRef(memory));
  }

  /** Whether a sequence is known at all: before that nothing can be stored or judged. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves once it is. What is called in order goes on in order. */
  ready(op: string): Promise<void> {
    if (this.#ready === undefined) {
      const ready = this.#begin(op);
      this.#ready = ready;
      // What is called before the handle is closed is sent: what waits for this is not sent yet.
      const disown = this.#core.own({ close: () => ready.catch(() => undefined) });
      ready.then(disown, disown);
    }
    return this.#ready;
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

  /** Whether an entry of this sequence with these tags is valid, as far as it is known; undefined: not without asking about a tag. */
  judge(sequence: number, tags: readonly string[] | undefined): boolean | undefined {
    if (sequence < this.#cleared) return false;
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
  async verify(sequence: number, tags: readonly string[] | undefined, upToDate?: Promise<void>): Promise<boolean> {
    if (!this.isExact) await (upToDate ?? this.catchUp());
    const known = this.judge(sequence, tags);
    if (known !== undefined) return known;
    await this.#learn(tags!.filter((tag) => !this.#tags.has(tag)));
    return this.judge(sequence, tags) ?? false;
  }

  /** Learns what has been invalidated up to now. Calls of the same tick share one ZRANGE. */
  catchUp(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const asking = new Promise<void>((resolve, reject) => {
      nextTick(() => {
        this.#asking = undefined;
        this.#catchUp().then(resolve, reject);
      });
    });
    this.#asking = asking;
    return asking;
  }

  /** @param tags undefined: all entries */
  async invalidate(op: string, tags: readonly string[] | undefined): Promise<void> {
    this.#invalidations += 1;
    const call = { op, timeoutMs: this.#timeoutMs };
    const args = { keepMs: KEEP_MS, max: MAX_TAGS, tags: tags ?? [] };
    const result = await runScript(this.#core.driver, invalidate, { state: this.#key }, args, call);
    if (result.status === "lost") return this.#beginAgain();
    const { sequence, cleared, floor } = result;
    for (const tag of tags ?? []) this.#set(tag, sequence);
    this.#advance(sequence, cleared, floor);
  }

  async #begin(op: string): Promise<void> {
    try {
      await this.#beginAgain(op);
      // Those who have waited go first.
      nextTick(() => (this.#isReady = true));
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  async #beginAgain(op = OP): Promise<void> {
    const since = this.#news.listen(this.#state);
    const args = ["ZMSCORE", this.#key, "s", "c", "f"];
    const call = { ...this.#read, op };
    const [sequence, cleared, floor] = (await this.#core.driver.send(args, call, this.#key)) as Reply[];
    this.#tags.clear();
    if (sequence === null) await this.#create(op);
    else this.#restart(numberOf(sequence!), numberOf(cleared!), floor === null ? 0 : numberOf(floor!));
    this.#touch();
    this.#news.caughtUp(this.#state, since);
  }

  async #create(op: string): Promise<void> {
    const call = { op, timeoutMs: this.#timeoutMs };
    const state = await runScript(this.#core.driver, begin, { state: this.#key }, { keepMs: KEEP_MS }, call);
    this.#restart(state.sequence, state.cleared, state.floor);
  }

  #restart(sequence: number, cleared: number, floor: number): void {
    this.#sequence = sequence;
    this.#advance(sequence, cleared, floor);
  }

  /** Not waited for: there are three months for it. */
  #touch(): void {
    const now = this.#core.driver.runtime.now();
    if (now - this.#touchedAt < TOUCH_MS) return;
    this.#touchedAt = now;
    const call = { op: OP, class: "idempotent", timeoutMs: this.#timeoutMs } as const;
    this.#core.driver.send(["PEXPIRE", this.#key, String(KEEP_MS)], call, this.#key).catch(() => undefined);
  }

  async #catchUp(): Promise<void> {
    this.#touch();
    const since = this.#news.listen(this.#state);
    const from = String(this.#sequence);
    const args = ["ZRANGE", this.#key, from, "+inf", "BYSCORE", "LIMIT", "0", String(MAX_NEWS), "WITHSCORES"];
    const found = pairsOf(await this.#core.driver.send(args, this.#read, this.#key));
    const sequence = found.find(([member]) => member === "s")?.[1];
    // The state was lost, or so much has changed that it is shorter to begin again.
    if (sequence === undefined || found.length >= MAX_NEWS) return this.#beginAgain();
    let [cleared, floor] = [0, 0];
    for (const [member, score] of found) {
      if (member === "c") cleared = score;
      else if (member === "f") floor = score;
      else if (member.startsWith("t")) this.#set(member.slice(1), score);
    }
    this.#advance(sequence, cleared, floor);
    this.#news.caughtUp(this.#state, since);
  }

  async #learn(tags: readonly string[]): Promise<void> {
    const unknown = tags.filter((tag) => !this.#learning.has(tag));
    if (unknown.length > 0) {
      const learned = this.#ask(unknown).finally(() => unknown.forEach((tag) => this.#learning.delete(tag)));
      for (const tag of unknown) this.#learning.set(tag, learned);
    }
    for (const tag of tags) await this.#learning.get(tag);
  }

  async #ask(tags: readonly string[]): Promise<void> {
    const args = ["ZMSCORE", this.#key, "s", "f", ...tags.map((tag) => `t${tag}`)];
    const [sequence, floor, ...scores] = (await this.#core.driver.send(args, this.#read, this.#key)) as Reply[];
    if (sequence === null) return this.#beginAgain();
    if (floor !== null) this.#floor = Math.max(this.#floor, numberOf(floor!));
    for (const [at, tag] of tags.entries()) this.#set(tag, scores[at] === null ? 0 : numberOf(scores[at]!));
  }

  #set(tag: string, version: number): void {
    const known = this.#tags.get(tag) ?? -1;
    if (known < 0 && this.#tags.size >= MAX_TAGS) this.#tags.delete(this.#tags.keys().next().value!);
    this.#tags.set(tag, Math.max(known, version));
  }

  #advance(sequence: number, cleared: number, floor: number): void {
    this.#sequence = Math.max(this.#sequence, sequence);
    this.#floor = Math.max(this.#floor, floor);
    if (cleared <= this.#cleared) return;
    this.#cleared = cleared;
    for (const reference of this.#onCleared) reference.deref()?.forgetAll();
  }
}

/** RESP3 has pairs and doubles, RESP2 a flat list of texts. */
function pairsOf(reply: Reply): [string, number][] {
  const flat = (reply as Reply[]).flat();
  const pairs: [string, number][] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([String(flat[at]), numberOf(flat[at + 1]!)]);
  return pairs;
}

function numberOf(reply: Reply): number {
  return Number(String(reply));
}
