/** `MAXLEN|MINID [=|~] threshold` and `LIMIT n`, the options by which XADD and XTRIM shorten a stream. */
import { fail } from "../base/errors.ts";
import { integerArgument } from "../base/numbers.ts";
import type { Session } from "../engine/session.ts";
import type { BlockLimits } from "../values/stream-block.ts";
import type { Retention, Trim } from "../values/stream.ts";
import { is } from "../engine/command.ts";
import { idArgument } from "./streams-arguments.ts";

/** The work of one approximate trim, where LIMIT says nothing: so many full blocks, but not more entries than that. */
const BLOCKS_PER_TRIM = 100;
const MOST_PER_TRIM = 1_000_000;

export function blockLimits({ engine }: Session): BlockLimits {
  return {
    entries: engine.config.number("stream-node-max-entries"),
    bytes: engine.config.number("stream-node-max-bytes"),
  };
}

export class TrimOptions {
  #keep: Retention | undefined;
  #approximate = false;
  #limit: number | undefined;

  /** Reads the option at this place and returns the place after it: the same place when it is none of these options. */
  read(args: readonly string[], at: number): number {
    if (at + 1 >= args.length) return at;
    if (is(args[at], "MAXLEN") || is(args[at], "MINID")) return this.#readRetention(args, at);
    if (!is(args[at], "LIMIT")) return at;
    this.#limit = countArgument(args[at + 1] as string, "LIMIT");
    return at + 2;
  }

  #readRetention(args: readonly string[], at: number): number {
    if (this.#keep !== undefined) {
      fail("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    }
    const sign = args[at + 1];
    const place = at + ((sign === "~" || sign === "=") && at + 2 < args.length ? 2 : 1);
    const threshold = args[place] as string;
    this.#approximate = place === at + 2 && sign === "~";
    this.#keep = is(args[at], "MINID")
      ? { from: idArgument(threshold) }
      : { length: countArgument(threshold, "MAXLEN") };
    return place + 1;
  }

  /** When all options are read: refuses what does not go together. */
  resolve(ctx: Session, required: boolean): Trim | undefined {
    const keep = this.#keep;
    const approximate = this.#approximate;
    const limit = this.#limit;
    if (keep === undefined && (limit ?? 0) > 0) {
      fail("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
    }
    if (keep === undefined && required) fail("ERR syntax error, XTRIM must be called with a trimming strategy");
    if (limit !== undefined && !approximate) {
      fail("ERR syntax error, LIMIT cannot be used without the special ~ option");
    }
    if (keep === undefined) return undefined;
    return { keep, approximate, limit: limit ?? (approximate ? usualLimit(ctx) : 0) };
  }
}

function countArgument(text: string, option: string): number {
  const count = integerArgument(text);
  return count < 0 ? fail(`ERR The ${option} argument must be >= 0.`) : count;
}

function usualLimit(ctx: Session): number {
  const entries = BLOCKS_PER_TRIM * blockLimits(ctx).entries;
  return entries <= 0 ? 10_000 : Math.min(entries, MOST_PER_TRIM);
}
