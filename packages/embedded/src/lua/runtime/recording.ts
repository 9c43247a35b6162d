/**
 * What it takes to begin a running script again from its start without that anybody notices: what it has learnt from outside
 * (the replies of its commands, which are then not called a second time), and what it has changed in its engine. Bounded: a script
 * that asks for more begins again before its next call, while the recording is still whole.
 */
import { ScriptInterrupt } from "./errors.ts";
import type { HostReply } from "../host.ts";
import type { Random } from "./random.ts";
import { newestAddress, rewindAddresses } from "./value.ts";

const MAX_ANSWERS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;
/** Bytes that an answer and its question take besides their texts, about. */
const ENTRY_BYTES = 128;
const ITEM_BYTES = 16;

/**
 * Thrown to end a run in plain functions, uncaught by the script, which is then begun again as generators.
 */
export const BEGIN_AGAIN: unique symbol = Symbol("begin again");

export class Recording {
  readonly #random: Random;
  #mode: "off" | "recording" | "replaying" = "off";
  /** Made once and filled again by each script: most have one or two calls. */
  readonly #questions: (readonly string[] | undefined)[] = [];
  readonly #answers: HostReply[] = [];
  #count = 0;
  #bytes = 0;
  #at = 0;
  #randomAtStart: bigint;
  #addressAtStart = 0;
  readonly #undo: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#randomAtStart = random.state;
  }

  begin(): void {
    this.#mode = "recording";
    this.#randomAtStart = this.#random.state;
    this.#addressAtStart = newestAddress();
  }

  /** From here on what was recorded is answered; after the last answer nothing is recorded any more. */
  rewind(): void {
    this.#mode = "replaying";
    this.#random.state = this.#randomAtStart;
    rewindAddresses(this.#addressAtStart);
    while (this.#undo.length > 0) this.#undo.pop()!();
  }

  /** Something that outlives the script was changed: how to take it back. */
  onRewind(undo: () => void): void {
    if (this.#mode === "recording") this.#undo.push(undo);
  }

  add(question: readonly string[], answer: HostReply): void {
    if (this.#mode !== "recording") return;
    const at = this.#count++;
    this.#questions[at] = question;
    this.#answers[at] = answer;
    let bytes = ENTRY_BYTES + (typeof answer === "string" ? answer.length : sizeOf(answer));
    // An index, since this is done for each call of each script.
    for (let word = 0; word < question.length; word += 1) bytes += question[word]!.length;
    this.#bytes += bytes;
  }

  /** The answer that this question had before the script began again. Called before each `add`. */
  recall(question: readonly string[]): HostReply | undefined {
    if (this.#mode === "off") return undefined;
    if (this.#mode === "recording") {
      if (this.#count >= MAX_ANSWERS || this.#bytes >= MAX_BYTES) throw BEGIN_AGAIN;
      return undefined;
    }
    if (this.#at < this.#count) return this.#next(question);
    this.end();
    return undefined;
  }

  /** A script that asks something else than before is not the same script any more. */
  #next(question: readonly string[]): HostReply {
    const asked = this.#questions[this.#at]!;
    if (question.length !== asked.length || question.some((word, at) => word !== asked[at])) {
      throw new ScriptInterrupt("ERR Script ended: paused for other clients, it did not take the same course again");
    }
    return this.#answers[this.#at++]!;
  }

  /** Idempotent. */
  end(): void {
    if (this.#mode === "off") return;
    this.#mode = "off";
    for (let at = 0; at < this.#count; at += 1) {
      this.#questions[at] = undefined;
      this.#answers[at] = null;
    }
    this.#count = 0;
    this.#bytes = 0;
    this.#at = 0;
    if (this.#undo.length > 0) this.#undo.length = 0;
  }
}

function sizeOf(reply: HostReply): number {
  if (typeof reply === "string") return ITEM_BYTES + reply.length;
  if (reply === null || typeof reply !== "object") return ITEM_BYTES;
  if (Array.isArray(reply)) return reply.reduce<number>((sum, item) => sum + sizeOf(item), ITEM_BYTES);
  switch (reply.type) {
    case "map":
      return reply.entries.reduce((sum, [key, value]) => sum + sizeOf(key) + sizeOf(value), ITEM_BYTES);
    case "set":
      return sizeOf(reply.items);
    default:
      return ITEM_BYTES + String(reply.value).length;
  }
}
