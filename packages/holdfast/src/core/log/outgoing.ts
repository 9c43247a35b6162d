/** A pack on its way to the log: its bytes, and whose outcome is which. */
import type { Arg } from "../../driver/port.ts";
import { Deferred } from "../../base/deferred.ts";
import { type LogMessage, varintLength, writeFrame } from "./frame.ts";
import type { LogKeys } from "./keys.ts";

/**
 * `duplicate`: its id is known; the offset is that of the first. `full`: the log takes no more. Of a log that keeps the newest of each key
 * also `conflict`: the key is not where it was expected, and `missing`: there is nothing to delete.
 */
export type LogStatus = "ok" | "duplicate" | "full" | "conflict" | "missing";

/** What a caller is answered: where its message is, or that of the first with its id. `offset` is 0 of one that was refused. */
export type LogAnswer<Answer> = (status: LogStatus, offset: number, at: number) => Answer;
/** Asked once per pack. @param at when that was appended */
export type LogAnswers<Answer> = (epoch: number, at: number) => LogAnswer<Answer>;

/**
 * Of each id of a pack, in order: where its message is already, and since when; 0 where it is new. Where each message has an outcome of its own,
 * of each message; below 0 it was refused.
 */
export interface KnownIds {
  readonly known: readonly number[];
  readonly times: readonly number[];
}

/** A message on its way, and the promise of its caller. */
export class Appending<Answer> extends Deferred<Answer> {
  readonly message: LogMessage;
  readonly length: number;
  readonly deadline: number;
  /** The log had no room for it. */
  wasRefused = false;

  constructor(message: LogMessage, length: number, deadline: number) {
    super();
    this.message = message;
    this.length = length;
    this.deadline = deadline;
  }
}

const NONE: readonly never[] = [];
/** By -1, -2, -3. */
const REFUSED: readonly LogStatus[] = ["conflict", "full", "missing"];

export class OutgoingPack<Answer> {
  /** Those that are sent, in order. */
  readonly messages: readonly Appending<Answer>[];
  /** Keys of the ids among them. */
  readonly ids: string[] = [];
  /** As the script takes them. */
  readonly frames: Arg[];
  /** Those whose id another of the pack has, by that one: not sent. */
  readonly #repeats = new Map<Appending<Answer>, Appending<Answer>[]>();
  readonly #each: boolean;

  /** @param each whether each message has a frame and an outcome of its own, with or without an id */
  constructor(all: readonly Appending<Answer>[], keys: LogKeys, each: boolean) {
    const hasIds = all.some(hasId);
    this.#each = each;
    this.messages = hasIds ? this.#withoutRepeats(all) : all;
    this.frames = each || hasIds ? this.#apart(keys) : [together(this.messages)];
  }

  /** It was appended. */
  settle({ first, at, ...ids }: KnownIds & { first: number; at: number }, answer: LogAnswer<Answer>): void {
    const { messages } = this;
    // The way of those without ids.
    if (ids.known.length === 0) {
      for (let place = 0; place < messages.length; place += 1)
        messages[place]!.resolve(answer("ok", first + place, at));
      return;
    }
    let next = first;
    for (const appending of this.#unknown(ids, answer)) {
      appending.resolve(answer("ok", next, at));
      for (const repeat of this.#repeatsOf(appending)) repeat.resolve(answer("duplicate", next, at));
      next += 1;
    }
  }

  /** It was not: the log has room for so many of those that it does not have. Answers the others; returns what fits, and what does not. */
  refused(
    room: number,
    ids: KnownIds,
    answer: LogAnswer<Answer>,
  ): [fitting: Appending<Answer>[], rest: Appending<Answer>[]] {
    const unknown = this.#unknown(ids, answer);
    const withRepeats = (some: readonly Appending<Answer>[]): Appending<Answer>[] =>
      some.flatMap((appending) => [appending, ...this.#repeatsOf(appending)]);
    return [withRepeats(unknown.slice(0, room)), withRepeats(unknown.slice(room))];
  }

  reject(error: unknown): void {
    for (const appending of this.messages) appending.reject(error);
    for (const repeat of [...this.#repeats.values()].flat()) repeat.reject(error);
  }

  /** Those that the log does not have, in order; the others are answered. */
  #unknown({ known, times }: KnownIds, answer: LogAnswer<Answer>): readonly Appending<Answer>[] {
    if (!known.some((offset) => offset !== 0)) return this.messages;
    let id = -1;
    return this.messages.filter((appending) => {
      if (!this.#each && appending.message.id === undefined) return true;
      id += 1;
      const offset = known[id]!;
      if (offset === 0) return true;
      const status = offset > 0 ? "duplicate" : REFUSED[-offset - 1]!;
      for (const each of [appending, ...this.#repeatsOf(appending)]) each.resolve(answer(status, offset, times[id]!));
      return false;
    });
  }

  #repeatsOf(appending: Appending<Answer>): readonly Appending<Answer>[] {
    return this.#repeats.get(appending) ?? NONE;
  }

  #withoutRepeats(all: readonly Appending<Answer>[]): Appending<Answer>[] {
    const firsts = new Map<string, Appending<Answer>>();
    return all.filter((appending) => {
      const { id } = appending.message;
      const original = id === undefined ? undefined : firsts.get(id);
      if (original !== undefined) this.#repeats.set(original, [...this.#repeatsOf(original), appending]);
      else if (id !== undefined) firsts.set(id, appending);
      return original === undefined;
    });
  }

  /** The places of those that have an id, then each frame by itself. */
  #apart(keys: LogKeys): Arg[] {
    const places: Arg[] = [];
    for (const [at, { message }] of this.messages.entries()) {
      if (message.id === undefined) continue;
      this.ids.push(keys.id(message.id));
      places.push(String(at + 1));
    }
    const frames = this.messages.map((appending) => together([appending]));
    return this.#each ? frames : [...places, ...frames];
  }
}

function hasId({ message }: Pick<Appending<never>, "message">): boolean {
  return message.id !== undefined;
}

function together(all: readonly Pick<Appending<never>, "message" | "length">[]): Buffer {
  let size = 0;
  for (const { length } of all) size += length + varintLength(length);
  const bytes = Buffer.allocUnsafe(size);
  let end = 0;
  for (const { message, length } of all) end = writeFrame(message, length, bytes, end);
  return bytes;
}
