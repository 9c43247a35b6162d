/** What is asked of a log on the server; appending is `appender.ts`. */
import type { Driver, Reply } from "../../driver/port.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { LogKeys } from "./keys.ts";
import { runScript } from "../script/run.ts";
import { type LogPack, packsOf, storedPack } from "./pack.ts";
import { look } from "./scripts.gen.ts";

export interface LogTerms {
  /** The operation as a user knows it: `topic.page`. */
  readonly op: string;
  /** The log's name as the user knows it; for error messages. */
  readonly name: string;
  readonly timeoutMs?: number | undefined;
}

/** The end of a log. */
export interface LogTail {
  /** 0: nothing is known of the log, it was never written or is gone. */
  readonly epoch: number;
  /** Offset of the last message; 0: there was none yet. */
  readonly head: number;
  /** When that was appended. */
  readonly at: number;
  /** All from this offset on are kept; some before it may be. */
  readonly first: number;
}

/** A part of the log, and its end. */
export interface LogLook {
  readonly tail: LogTail;
  readonly packs: readonly LogPack[];
}

/** So many packs are read whatever they weigh: what more of them would be is not known. */
const FEW = 16;
const MANY_BYTES = 131_072;
const EMPTY: LogTail = { epoch: 0, head: 0, at: 0, first: 1 };

export class LogStore {
  readonly keys: LogKeys;
  readonly #driver: Driver;
  readonly #terms: LogTerms;

  constructor(driver: Driver, keys: LogKeys, terms: LogTerms) {
    this.keys = keys;
    this.#driver = driver;
    this.#terms = terms;
  }

  /** The packs from the one on that contains `from`, or that is the first behind it. Cost: XRANGE. */
  async range(from: number, count: number): Promise<LogPack[]> {
    for (let after = String(from); ;) {
      const entries = await this.#send(["XRANGE", this.keys.log, after, "+", "COUNT", String(count)]);
      const packs = this.#packs(entries);
      // All that came may be what somebody else has put there.
      if (packs.length > 0 || !Array.isArray(entries) || entries.length < count) return packs;
      after = `(${String((entries.at(-1) as Reply[])[0])}`;
    }
  }

  /** The packs that have a message from `from` to `to`, both included. Cost: two XRANGE in a pipeline. */
  async between(from: number, to: number): Promise<LogPack[]> {
    const { log } = this.keys;
    const commands = [
      ["XRANGE", log, String(from), String(to)],
      ["XRANGE", log, String(to), "+", "COUNT", "1"],
    ];
    const [inside, last] = (await this.#driver.batch(commands, this.#call(), log)).map(orThrow);
    const packs = this.#packs(inside!);
    const [end] = this.#packs(last!);
    if (end !== undefined && end.first <= to && end.last !== packs.at(-1)?.last) packs.push(end);
    return packs;
  }

  /** Cost: HMGET; where `meta` was evicted, XREVRANGE. */
  async tail(): Promise<LogTail> {
    const { log, meta } = this.keys;
    const known = await this.#send(["HMGET", meta, "epoch", "head", "at", "first"]);
    const tail = tailOf(known);
    if (tail.epoch > 0) return tail;
    const [last] = this.#packs(await this.#send(["XREVRANGE", log, "+", "-", "COUNT", "1"]));
    if (last === undefined) return tail;
    const [oldest] = await this.range(0, 1);
    return { epoch: last.epoch, head: last.last, at: last.at, first: oldest?.first ?? last.first };
  }

  /**
   * The end of the log and the packs from `from` on, in one round trip. The packs are the younger of the two. Of more than 16 as many as are about
   * 128 KB.
   * Cost: HMGET and XRANGE in a pipeline; of more than 16 packs in a script.
   */
  async look(from: number, count: number): Promise<LogLook> {
    if (count > FEW) return this.#lookAtMany(from, count);
    const { log, meta } = this.keys;
    const commands = [
      ["HMGET", meta, "epoch", "head", "at", "first"],
      ["XRANGE", log, String(from), "+", "COUNT", String(count)],
    ];
    const [known, entries] = (await this.#driver.batch(commands, this.#call(), log)).map(orThrow);
    const packs = this.#packs(entries!);
    const first = tailOf(known!);
    const tail = first.epoch > 0 ? first : await this.tail();
    // The end was asked again, here or because its answer was lost: what it knows of and the packs do not have is no gap yet.
    const isYounger = packs.length === 0 && tail.head >= from;
    return { tail, packs: isYounger ? await this.range(from, count) : packs };
  }

  async #lookAtMany(from: number, count: number): Promise<LogLook> {
    const { log, meta } = this.keys;
    const { op, name, timeoutMs } = this.#terms;
    const args = { from, count, bytes: MANY_BYTES };
    const found = await runScript(this.#driver, look, { log, meta }, args, { op, key: name, timeoutMs });
    const tail = tailOf(found.tail);
    const packs = found.rows
      .map(({ id, at, count: n, bytes }) => storedPack(id, at, n, bytes))
      .filter((pack) => pack !== undefined);
    return { tail: tail.epoch > 0 ? tail : await this.tail(), packs };
  }

  /**
   * The first offset whose message is of `at` or later; one more than the last where there is none. By bisection: offsets are
   * contiguous, and times do not go back. Cost: HMGET, and an XRANGE of one entry for each halving, about 20 of a million.
   */
  async find(at: number): Promise<number> {
    const { head } = await this.tail();
    const [oldest] = await this.range(0, 1);
    if (oldest === undefined) return head + 1;
    if (oldest.at >= at) return oldest.first;
    let [low, high] = [oldest.last + 1, head + 1];
    while (low < high) {
      const [pack] = await this.range(Math.floor((low + high) / 2), 1);
      if (pack === undefined) high = Math.floor((low + high) / 2);
      else if (pack.at < at) low = pack.last + 1;
      else high = Math.max(low, Math.min(Math.floor((low + high) / 2), pack.first));
    }
    return low;
  }

  #packs(reply: Reply): LogPack[] {
    return packsOf(reply, this.#terms.op, this.#terms.name);
  }

  #send(args: readonly string[]): Promise<Reply> {
    return this.#driver.send(args, this.#call(), args[1]);
  }

  #call(): { op: string; class: "read"; key: string; timeoutMs: number | undefined } {
    const { op, name, timeoutMs } = this.#terms;
    return { op, class: "read", key: name, timeoutMs };
  }
}

function tailOf(reply: Reply): LogTail {
  if (!Array.isArray(reply) || reply[0] === null) return EMPTY;
  const [epoch, head, at, first] = reply.map((each) => Number(String(each)));
  return { epoch: epoch!, head: head!, at: at!, first: first! };
}

function orThrow(outcome: Reply | HoldfastError): Reply {
  if (outcome instanceof HoldfastError) throw outcome;
  return outcome;
}
