/**
 * Appends messages to a log: those of one tick, and those that come while a pack is on its way, are the next pack.
 *
 *     append() -> waiting ... the tick's end, or the answer to the pack before -> one script -> an outcome for each
 *
 * One pack at a time: messages keep their order whatever is lost and repeated, and the log need only remember each producer's last
 * pack to know a repetition (its number is the last) and a late copy (its number is lower).
 */
import type { Driver } from "../../driver/port.ts";
import { Deferred } from "../../base/deferred.ts";
import { HoldfastError, OutcomeUnknownError, UnavailableError } from "../../base/errors.ts";
import { nextTick, type Timer } from "../../base/runtime.ts";
import { runScript, type UnclassedCall } from "../script/run.ts";
import { frameLength, type LogMessage } from "./frame.ts";
import type { LogKeys } from "./keys.ts";
import { Appending, type LogAnswers, OutgoingPack } from "./outgoing.ts";
import type { LogProducer, LogProducers } from "./producers.ts";
import { append, type AppendArgs, type AppendResult } from "./scripts.gen.ts";
import type { LogTerms } from "./store.ts";

export type { LogAnswer, LogAnswers } from "./outgoing.ts";

/** What goes from a log, and when. */
export interface LogRetention {
  readonly keepMs: number;
  readonly maxMessages: number;
  /** What a subscription has not passed stays, up to `maxMessages`. */
  readonly keepUnread: boolean;
  readonly onFull: "drop-oldest" | "refuse" | "wait";
  /** How long the ids of messages are known. */
  readonly dedupeMs: number;
}

/** What carries an appender: a core. */
export interface LogHost {
  readonly driver: Driver;
  readonly producers: LogProducers;
  /** What must have ended before the handle closes; returns the function that takes it out again. */
  own(resource: { close(): Promise<void> }): () => void;
}

/** Another script than `append`: its messages have a frame and an outcome each. */
export type LogAppend = (
  messages: readonly LogMessage[],
  ids: readonly string[],
  args: AppendArgs,
  call: UnclassedCall,
) => Promise<AppendResult>;

/** In one entry of the stream: about a millisecond of the server's time at most, and a read of one entry stays small. */
const MAX_MESSAGES = 512;
const MAX_BYTES = 65_536;
/** A listener gets a pack of up to this size with the news of it, and need not ask for it. */
const LIVE_BYTES = 4_096;
/** Messages, and their bytes, that may wait for their turn. */
const MAX_WAITING = 100_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Between attempts to append to a log that is full. */
const FULL_MS = 50;
const MAX_FULL_MS = 1_000;
/** Before the deadline of what waits for room. */
const LAST_MS = 250;

export class LogAppender<Answer> {
  readonly #host: LogHost;
  readonly #keys: LogKeys;
  readonly #retention: LogRetention;
  readonly #terms: LogTerms;
  readonly #timeoutMs: number;
  readonly #answers: LogAnswers<Answer>;
  readonly #script: LogAppend | undefined;
  /** Whose it shares: each script writes down its packs in a way of its own. */
  readonly #producers: string;
  /** While it is not idle. */
  #producer: LogProducer | undefined;
  #waiting: Appending<Answer>[] = [];
  #waitingBytes = 0;
  /** The next pack goes at the end of the tick, or a pack is on its way. */
  #isBusy = false;
  /** Until the next attempt to append to a log that was full. */
  #pause: Timer | undefined;
  #pauseMs = FULL_MS;
  /** The log took nothing the last time. */
  #isFull = false;
  /** The most that the next pack has. */
  #room = MAX_MESSAGES;
  #disown: (() => void) | undefined;
  #idle: Deferred<void> | undefined;

  /** @param script what appends instead of the script `append` */
  constructor(
    host: LogHost,
    keys: LogKeys,
    retention: LogRetention,
    terms: LogTerms,
    answers: LogAnswers<Answer>,
    script?: LogAppend,
  ) {
    this.#host = host;
    this.#keys = keys;
    this.#retention = retention;
    this.#terms = terms;
    this.#timeoutMs = terms.timeoutMs ?? host.driver.timeoutMs;
    this.#answers = answers;
    this.#script = script;
    this.#producers = script === undefined ? keys.key : `${keys.key} each`;
  }

  /** Rejects with OVERLOADED where too much waits already. Cost: one script for all that go in one pack. */
  append(message: LogMessage): Promise<Answer> {
    const length = frameLength(message);
    const isTooMuch = this.#waiting.length >= MAX_WAITING || this.#waitingBytes > MAX_WAITING_BYTES;
    if (isTooMuch) return Promise.reject(this.#overloaded());
    const appending = new Appending<Answer>(message, length, this.#host.driver.runtime.now() + this.#timeoutMs);
    this.#waiting.push(appending);
    this.#waitingBytes += length;
    if (!this.#isBusy && this.#pause === undefined) this.#schedule();
    return appending.promise;
  }

  /** Resolves when nothing waits any more; never rejects. */
  close(): Promise<void> {
    if (this.#disown === undefined) return Promise.resolve();
    this.#idle ??= new Deferred();
    return this.#idle.promise;
  }

  #schedule(): void {
    this.#isBusy = true;
    this.#disown ??= this.#host.own(this);
    // From a promise callback it runs when the callback queue is empty: what the answers of the last pack led to goes together.
    nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#pause = undefined;
    this.#isBusy = true;
    const now = this.#host.driver.runtime.now();
    const pack = this.#take(now);
    if (pack.length === 0) this.#rest();
    else void this.#send(pack, Math.max(1, Math.ceil(pack[0]!.deadline - now)));
  };

  #rest(): void {
    this.#isBusy = false;
    if (this.#waiting.length > 0) return this.#schedule();
    if (this.#producer !== undefined) this.#host.producers.giveBack(this.#producers, this.#producer);
    this.#producer = undefined;
    this.#disown?.();
    this.#disown = undefined;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** What goes in the next pack: the oldest, up to the bounds, but one at least. */
  #take(now: number): readonly Appending<Answer>[] {
    const waiting = this.#waiting;
    let from = 0;
    // One that was refused shortly before: another attempt might have no answer in time.
    const isOver = ({ deadline, wasRefused }: Appending<Answer>): boolean =>
      deadline <= (wasRefused ? now + LAST_MS / 2 : now);
    for (; from < waiting.length && isOver(waiting[from]!); from += 1) this.#expire(waiting[from]!);
    let [to, bytes] = [from, 0];
    for (; to < waiting.length && to - from < this.#room; to += 1) {
      bytes += waiting[to]!.length;
      if (bytes > MAX_BYTES && to > from) break;
    }
    this.#room = MAX_MESSAGES;
    this.#waiting = to === waiting.length ? [] : waiting.slice(to);
    const pack = from === 0 && to === waiting.length ? waiting : waiting.slice(from, to);
    for (const { length } of pack) this.#waitingBytes -= length;
    return pack;
  }

  async #send(all: readonly Appending<Answer>[], timeoutMs: number): Promise<void> {
    let pack: OutgoingPack<Answer> | undefined;
    try {
      pack = new OutgoingPack(all, this.#keys, this.#script !== undefined);
      const result = await this.#append(pack, timeoutMs);
      if (result.status === "ok") {
        this.#pauseMs = FULL_MS;
        this.#isFull = false;
        pack.settle(result, this.#answers(result.epoch, result.at));
      } else if (result.status === "full") this.#refused(pack, result);
      else {
        this.#producer = undefined;
        pack.reject(this.#late());
      }
    } catch (error) {
      this.#isFull = false;
      if (pack === undefined) for (const appending of all) appending.reject(error);
      else pack.reject(error);
    }
    if (this.#pause === undefined) this.#rest();
  }

  #append(pack: OutgoingPack<Answer>, timeoutMs: number): Promise<AppendResult> {
    const { log, meta, live, cursors } = this.#keys;
    const { keepMs, maxMessages, keepUnread, onFull, dedupeMs } = this.#retention;
    const { ids, frames, messages } = pack;
    const producer = (this.#producer ??= this.#host.producers.take(this.#producers));
    producer.number += 1;
    const keep = { keepMs, maxMessages, keepUnread, refuses: onFull !== "drop-oldest", dedupeMs };
    const args = {
      producer: producer.id,
      number: producer.number,
      ...keep,
      liveBytes: LIVE_BYTES,
      count: messages.length,
      frames,
    };
    const call = { op: this.#terms.op, key: this.#terms.name, timeoutMs };
    if (this.#script !== undefined) {
      const sent = messages.map(({ message }) => message);
      return this.#script(sent, ids, args, call);
    }
    return runScript(this.#host.driver, append, { log, meta, live, cursors, ids }, args, call);
  }

  /** What fits goes at once, in a pack of its own. What does not is refused, or waits for room with all that come after it. */
  #refused(pack: OutgoingPack<Answer>, { room, epoch, ...ids }: Extract<AppendResult, { status: "full" }>): void {
    const answer = this.#answers(epoch, 0);
    const [fitting, rest] = pack.refused(room, ids, answer);
    // Where nothing fits all are sent again: among them may be what the log has by then.
    this.#room = fitting.length || MAX_MESSAGES;
    if (this.#retention.onFull === "refuse") {
      for (const appending of rest) appending.resolve(answer("full", 0, 0));
      return this.#putBack(fitting);
    }
    this.#putBack([...fitting, ...rest]);
    if (fitting.length > 0) return;
    for (const appending of rest) appending.wasRefused = true;
    const { runtime } = this.#host.driver;
    const leftMs = Math.max(1, Math.ceil(rest[0]!.deadline - runtime.now()));
    // The last attempt is made while there is time for its answer.
    const lastMs = leftMs > 2 * LAST_MS ? leftMs - LAST_MS : leftMs;
    this.#pause = runtime.setTimeout(this.#flush, Math.min(this.#pauseMs, lastMs));
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_FULL_MS);
    this.#isFull = true;
  }

  #putBack(appendings: readonly Appending<Answer>[]): void {
    this.#waiting = [...appendings, ...this.#waiting];
    for (const { length } of appendings) this.#waitingBytes += length;
  }

  /** Its turn has not come by its deadline: it was never sent. */
  #expire(appending: Appending<Answer>): void {
    this.#waitingBytes -= appending.length;
    if (this.#isFull) return appending.resolve(this.#answers(0, 0)("full", 0, 0));
    const { op, name } = this.#terms;
    const message = `${op} on ${JSON.stringify(name)}: those before it had no answer within ${this.#timeoutMs} ms; it was not sent`;
    appending.reject(new UnavailableError(message, { op, key: name }));
  }

  #overloaded(): HoldfastError {
    const { op, name } = this.#terms;
    const message = `${op} on ${JSON.stringify(name)}: too many messages wait to be sent; it was not sent`;
    return new HoldfastError("OVERLOADED", message, { op, key: name, retryable: true });
  }

  /** A later pack of this producer is there, though none was sent: an answer to somebody else, or a server that was set back. */
  #late(): HoldfastError {
    const { op, name } = this.#terms;
    return new OutcomeUnknownError(`${op} on ${JSON.stringify(name)}: the log knows a later pack of this producer`, {
      op,
      key: name,
    });
  }
}
