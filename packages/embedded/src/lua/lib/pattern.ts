/** Lua patterns (lstrlib.c), matched by the same backtracking over bytes. */
import type { LuaState } from "../runtime/state.ts";
import type { LuaValue } from "../runtime/value.ts";
import { isInClass } from "./character-class.ts";

const MAX_CAPTURES = 32;
/** Lengths that stand for something else. */
const UNFINISHED = -1;
const POSITION = -2;
const NO_MATCH = -1;

const ESCAPE = 0x25; // %
/**
 * How many steps one call may take: these, and so many per byte of its subject. A pattern that goes back over its subject again
 * and again takes hours otherwise, and Redis itself, which has no bound, can then only be killed. About a second.
 */
const MAX_STEPS = 10_000_000;
const STEPS_PER_BYTE = 32;

const SPECIALS = /[\^$*+?.([%-]/;

/** Whether a pattern means something other than itself. C's strpbrk stops at a zero byte. */
export function hasSpecials(pattern: string): boolean {
  const end = pattern.indexOf("\0");
  return SPECIALS.test(end === -1 ? pattern : pattern.slice(0, end));
}

function longSteps(bytes: number): number {
  return bytes >> 4;
}

export class Matcher {
  readonly subject: string;
  readonly #pattern: string;
  readonly #state: LuaState;
  /** Left for this call. */
  #stepsLeft: number;
  #level = 0;
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];

  /** A zero byte ends the pattern, as in C. */
  constructor(state: LuaState, subject: string, pattern: string) {
    this.#state = state;
    this.subject = subject;
    this.#stepsLeft = MAX_STEPS + subject.length * STEPS_PER_BYTE;
    const end = pattern.indexOf("\0");
    this.#pattern = end === -1 ? pattern : pattern.slice(0, end);
  }

  get anchored(): boolean {
    return this.#pattern.charCodeAt(0) === 0x5e;
  }

  /** The end of a match that begins at `start`, or -1. */
  matchAt(start: number): number {
    this.#level = 0;
    return this.#match(start, this.anchored ? 1 : 0);
  }

  /** The captures, or the whole match when the pattern has none and `whole` is asked for. */
  captures(start: number, end: number, whole: boolean): LuaValue[] {
    const count = this.#level === 0 && whole ? 1 : this.#level;
    return Array.from({ length: count }, (_, at) => this.capture(at, start, end));
  }

  capture(at: number, start: number, end: number): string | number {
    if (at >= this.#level) {
      if (at === 0) return this.subject.slice(start, end);
      throw this.#state.error("invalid capture index");
    }
    const length = this.#lengths[at]!;
    if (length === UNFINISHED) throw this.#state.error("unfinished capture");
    const from = this.#starts[at]!;
    return length === POSITION ? from + 1 : this.subject.slice(from, from + length);
  }

  #match(subjectAt: number, patternAt: number): number {
    let [s, p] = [subjectAt, patternAt];
    for (;;) {
      this.#spend(1);
      const code = this.#pattern.charCodeAt(p);
      if (Number.isNaN(code)) return s;
      if (code === 0x28) return this.#startCapture(s, p);
      if (code === 0x29) return this.#endCapture(s, p + 1);
      if (code === 0x24 && p + 1 === this.#pattern.length) return s === this.subject.length ? s : NO_MATCH;
      const special = code === ESCAPE ? this.#escape(s, p) : undefined;
      if (special === undefined) {
        const end = this.#classEnd(p);
        this.#spend(longSteps(end - p));
        const next = this.#pattern[end];
        const matches = s < this.subject.length && this.#single(this.subject.charCodeAt(s), p, end);
        if (next === "*") return this.#maxExpand(s, p, end);
        if (next === "+") return matches ? this.#maxExpand(s + 1, p, end) : NO_MATCH;
        if (next === "-") return this.#minExpand(s, p, end);
        if (next === "?") {
          const result = matches ? this.#match(s + 1, end + 1) : NO_MATCH;
          if (result !== NO_MATCH) return result;
          p = end + 1;
        } else {
          if (!matches) return NO_MATCH;
          [s, p] = [s + 1, end];
        }
      } else {
        if (special.s === NO_MATCH) return NO_MATCH;
        ({ s, p } = special);
      }
    }
  }

  /** A step is a look at one byte, or at 16 of a long set or a repeated capture. */
  #spend(steps: number): void {
    this.#state.fuel -= steps;
    if (this.#state.fuel < 0) this.#state.charge(0);
    this.#stepsLeft -= steps;
    if (this.#stepsLeft < 0) throw this.#state.error("pattern too complex");
  }

  /** %b, %f and %1: where the match goes on, undefined for an ordinary class. */
  #escape(s: number, p: number): { s: number; p: number } | undefined {
    const kind = this.#pattern[p + 1];
    if (kind === "b") return { s: this.#balance(s, p + 2), p: p + 4 };
    if (kind === "f") return this.#frontier(s, p + 2);
    if (kind === undefined || kind < "0" || kind > "9") return undefined;
    return { s: this.#backReference(s, kind), p: p + 2 };
  }

  #frontier(s: number, p: number): { s: number; p: number } {
    if (this.#pattern[p] !== "[") throw this.#state.error("missing '[' after '%f' in pattern");
    const end = this.#classEnd(p);
    const before = s === 0 ? 0 : this.subject.charCodeAt(s - 1);
    const here = s < this.subject.length ? this.subject.charCodeAt(s) : 0;
    const matches = !this.#set(before, p, end - 1) && this.#set(here, p, end - 1);
    return { s: matches ? s : NO_MATCH, p: end };
  }

  #balance(s: number, p: number): number {
    if (p + 1 >= this.#pattern.length) throw this.#state.error("unbalanced pattern");
    const [open, close] = [this.#pattern[p], this.#pattern[p + 1]];
    if (this.subject[s] !== open) return NO_MATCH;
    let depth = 1;
    let at = s + 1;
    for (; at < this.subject.length && depth > 0; at += 1) {
      const character = this.subject[at];
      if (character === close) depth -= 1;
      else if (character === open) depth += 1;
    }
    this.#spend(at - s);
    return depth === 0 ? at : NO_MATCH;
  }

  #backReference(s: number, digit: string): number {
    const at = digit.charCodeAt(0) - 0x31;
    const length = this.#lengths[at];
    if (at < 0 || at >= this.#level || length === UNFINISHED) throw this.#state.error("invalid capture index");
    // A position capture has a length that no subject has.
    if (length === POSITION) return NO_MATCH;
    const from = this.#starts[at]!;
    this.#spend(longSteps(length!));
    return this.subject.startsWith(this.subject.slice(from, from + length!), s) ? s + length! : NO_MATCH;
  }

  #startCapture(s: number, p: number): number {
    const position = this.#pattern[p + 1] === ")";
    if (this.#level >= MAX_CAPTURES) throw this.#state.error("too many captures");
    this.#starts[this.#level] = s;
    this.#lengths[this.#level] = position ? POSITION : UNFINISHED;
    this.#level += 1;
    const result = this.#match(s, position ? p + 2 : p + 1);
    if (result === NO_MATCH) this.#level -= 1;
    return result;
  }

  #endCapture(s: number, p: number): number {
    let at = this.#level - 1;
    while (at >= 0 && this.#lengths[at] !== UNFINISHED) at -= 1;
    if (at < 0) throw this.#state.error("invalid pattern capture");
    this.#lengths[at] = s - this.#starts[at]!;
    const result = this.#match(s, p);
    if (result === NO_MATCH) this.#lengths[at] = UNFINISHED;
    return result;
  }

  #maxExpand(s: number, p: number, end: number): number {
    let at = s;
    while (at < this.subject.length && this.#single(this.subject.charCodeAt(at), p, end)) at += 1;
    this.#spend((at - s) * (1 + longSteps(end - p)));
    for (; at >= s; at -= 1) {
      const result = this.#match(at, end + 1);
      if (result !== NO_MATCH) return result;
    }
    return NO_MATCH;
  }

  #minExpand(s: number, p: number, end: number): number {
    for (let at = s; ; at += 1) {
      const result = this.#match(at, end + 1);
      if (result !== NO_MATCH) return result;
      if (at >= this.subject.length || !this.#single(this.subject.charCodeAt(at), p, end)) return NO_MATCH;
    }
  }

  /** Position after the single-character class at `p`. */
  #classEnd(p: number): number {
    const code = this.#pattern.charCodeAt(p);
    if (code === ESCAPE) {
      if (p + 1 >= this.#pattern.length) throw this.#state.error("malformed pattern (ends with '%')");
      return p + 2;
    }
    if (code !== 0x5b) return p + 1;
    let at = this.#pattern[p + 1] === "^" ? p + 2 : p + 1;
    do {
      if (at >= this.#pattern.length) throw this.#state.error("malformed pattern (missing ']')");
      const escaped = this.#pattern.charCodeAt(at++) === ESCAPE;
      if (escaped && at < this.#pattern.length) at += 1;
    } while (this.#pattern[at] !== "]");
    return at + 1;
  }

  #single(code: number, p: number, end: number): boolean {
    switch (this.#pattern.charCodeAt(p)) {
      case 0x2e:
        return true;
      case ESCAPE:
        return isInClass(code, this.#pattern.charCodeAt(p + 1));
      case 0x5b:
        return this.#set(code, p, end - 1);
      default:
        return this.#pattern.charCodeAt(p) === code;
    }
  }

  /** A set from `[` at p to `]` at close. */
  #set(code: number, p: number, close: number): boolean {
    const negated = this.#pattern[p + 1] === "^";
    for (let at = negated ? p + 2 : p + 1; at < close; at += 1) {
      if (this.#pattern.charCodeAt(at) === ESCAPE) {
        at += 1;
        if (isInClass(code, this.#pattern.charCodeAt(at))) return !negated;
      } else if (this.#pattern[at + 1] === "-" && at + 2 < close) {
        if (this.#pattern.charCodeAt(at) <= code && code <= this.#pattern.charCodeAt(at + 2)) return !negated;
        at += 2;
      } else if (this.#pattern.charCodeAt(at) === code) return !negated;
    }
    return negated;
  }
}
