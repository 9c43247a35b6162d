/** What the scripts of one server share (the globals), and what belongs to the script that runs. */
import { getHeapStatistics } from "node:v8";
import { isNative, LuaError, ScriptInterrupt } from "./errors.ts";
import type { HostReply, LuaHost, ScriptLimits } from "../host.ts";
import { type Body, type Coroutine, withoutYields } from "./coroutine.ts";
import { Random } from "./random.ts";
import { BEGIN_AGAIN, Recording } from "./recording.ts";
import { LIBRARY_SITE, type Site } from "./site.ts";
import { LuaTable } from "./table.ts";
import { first, list, type LuaFunction, type LuaResult, type LuaValue } from "./value.ts";

const DEFAULT_BUDGET = 100_000;
const DEFAULT_HEAP_GROWTH = 512 * 1024 * 1024;
/** Lua's limit on nested calls; JavaScript's own stack ends earlier for most functions. */
export const MAX_DEPTH = 16_000;
/** Lua's limit on calls from libraries and of metamethods, one inside the other; the script itself is the first. */
const MAX_NESTED_CALLS = 200;
const NESTED_TOO_DEEP = "C stack overflow";
/** Bytes of string work that count like one loop round. */
const BYTES_PER_STEP = 64;
/** A call of the host counts like so many loop rounds. */
const STEPS_PER_CALL = 32;
/** Above this depth of calls, a host call first makes sure that there is stack left for it. */
const SHALLOW = 200;
/** Frames of `probeStack` that have to fit before the host is called from a deep recursion: about 150 KB. */
const PROBE_FRAMES = 1_000;

interface Before {
  readonly depth: number;
  readonly frames: Site[];
  readonly coroutine: Coroutine | undefined;
  readonly nestedCalls: number;
}

export class LuaState {
  /** What code finds global names in; set up once, before anything is compiled. */
  globals: LuaTable = new LuaTable();
  readonly stringMetatable: LuaTable = new LuaTable();
  readonly random: Random = new Random();
  /** frames[1..depth]: where each active Lua function is. A library function that calls back has LIBRARY_SITE. */
  frames: Site[] = [];
  depth = 0;
  /** Steps left until the next look at the limits. Compiled code counts it down itself. */
  fuel: number = DEFAULT_BUDGET;
  /** The coroutine that runs, undefined for the script itself. */
  coroutine: Coroutine | undefined = undefined;
  /** Protocol of the replies that the script sees. */
  resp: 2 | 3 = 2;
  /** The script runs as generators, also what it loads from strings, and can pause. */
  suspendable = false;
  /** Plain calls of generators on the stack: below them nothing can pause. */
  unpausable = 0;
  /** The script is to pause where it can, soon. */
  pauseDue = false;
  readonly recording: Recording = new Recording(this.random);
  #host: LuaHost | undefined = undefined;
  #limits: ScriptLimits = {};
  #heapAtStart = 0;
  #nestedCalls = 1;

  /** The server, while a script runs. */
  host(): LuaHost {
    if (this.#host === undefined) throw new Error("no script is running");
    return this.#host;
  }

  /** @param suspendable the script is run as generators from the start */
  begin(host: LuaHost, limits: ScriptLimits, suspendable: boolean): void {
    this.#host = host;
    this.#limits = limits;
    this.suspendable = suspendable;
    if (limits.pause !== undefined && !suspendable) this.recording.begin();
    this.#clear();
  }

  /** As it was at `begin`, but to be run as generators. */
  beginAgain(): void {
    this.suspendable = true;
    this.recording.rewind();
    this.host().setResp(2);
    this.#clear();
  }

  #clear(): void {
    this.#heapAtStart = 0;
    this.#nestedCalls = 1;
    this.frames = [];
    this.depth = 0;
    this.resp = 2;
    this.coroutine = undefined;
    this.unpausable = 0;
    this.pauseDue = false;
    this.fuel = this.#limits.budget ?? DEFAULT_BUDGET;
  }

  end(): void {
    this.#host = undefined;
    this.recording.end();
    this.suspendable = false;
    this.frames = [];
  }

  /**
   * All that a script learns from outside comes this way or by `callHost`, so that a second run learns the same.
   * @param question what distinguishes this call from another
   */
  ask(question: readonly string[], read: () => HostReply): HostReply {
    const known = this.recording.recall(question);
    if (known !== undefined) return known;
    const answer = read();
    this.recording.add(question, answer);
    return answer;
  }

  /** redis.call and redis.pcall. */
  callHost(words: string[], isProtected: boolean): HostReply {
    this.fuel -= STEPS_PER_CALL;
    const known = this.recording.recall(words);
    if (known !== undefined) return known;
    const answer = this.host().call(words, isProtected);
    this.recording.add(words, answer);
    return answer;
  }

  /** A compiled function comes here when it is called too deep or with the budget used up. */
  onEnter(site: Site): boolean {
    if (this.depth >= MAX_DEPTH) {
      this.depth -= 1;
      throw this.stackOverflow();
    }
    return this.onLoop(site);
  }

  /** A compiled loop comes here when the budget is used up. True: the script pauses here. */
  onLoop(site: Site): boolean {
    this.frames[this.depth] = site;
    if (this.fuel < 0) this.#renewBudget();
    if (!this.pauseDue || this.unpausable > 0) return false;
    this.pauseDue = false;
    return true;
  }

  #renewBudget(): void {
    this.fuel = this.#limits.budget ?? DEFAULT_BUDGET;
    const used = getHeapStatistics().used_heap_size;
    if (this.#heapAtStart === 0) this.#heapAtStart = used;
    if (used - this.#heapAtStart > (this.#limits.maxHeapGrowth ?? DEFAULT_HEAP_GROWTH)) {
      throw new ScriptInterrupt("ERR Script killed because it used too much memory");
    }
    this.#limits.onBudget?.();
    if (this.#limits.pause?.() !== true) return;
    if (!this.suspendable) throw BEGIN_AGAIN;
    this.pauseDue = true;
  }

  /** Work on strings counts by its size, so that the memory is looked at in time. Less than 64 bytes count as nothing. */
  charge(bytes: number): void {
    this.fuel -= Math.trunc(bytes / BYTES_PER_STEP);
    if (this.fuel < 0) this.#renewBudget();
  }

  /** A library function calls back: its frame hides the names and lines of its caller. */
  callBack(target: LuaFunction, args: readonly LuaValue[]): LuaResult {
    const depth = this.#enterCallBack();
    const result = target(...args);
    this.#nestedCalls -= 1;
    this.depth = depth;
    return result;
  }

  /** The same for a library function in which the script can pause. */
  *pausableCallBack(target: LuaFunction, args: readonly LuaValue[]): Body {
    const depth = this.#enterCallBack();
    const { generator } = target;
    const result = generator === undefined ? target(...args) : yield* withoutYields(generator(...args));
    this.#nestedCalls -= 1;
    this.depth = depth;
    return result;
  }

  #enterCallBack(): number {
    if (this.#nestedCalls + 1 >= MAX_NESTED_CALLS) throw new LuaError(NESTED_TOO_DEEP);
    const { depth } = this;
    this.#nestedCalls += 1;
    this.frames[++this.depth] = LIBRARY_SITE;
    return depth;
  }

  /** A metamethod runs: called by compiled code at `site`, or by a library function. Its first result. */
  callMetamethod(site: Site, target: LuaFunction, args: readonly LuaValue[]): LuaValue {
    if (site === LIBRARY_SITE) return first(this.callBack(target, args));
    const depth = this.depth;
    const interrupted = this.frames[depth]!;
    this.frames[depth] = site;
    if (this.#nestedCalls + 1 >= MAX_NESTED_CALLS) throw this.error(NESTED_TOO_DEEP);
    this.#nestedCalls += 1;
    const result = target(...args);
    this.#nestedCalls -= 1;
    this.frames[depth] = interrupted;
    return first(result);
  }

  /** Runs something whose Lua errors are wanted as values; the frames are as before afterwards. */
  protect(run: () => LuaResult, onError: (value: LuaValue) => readonly LuaValue[]): readonly LuaValue[] {
    const before = this.#now();
    try {
      return [true, ...list(run())];
    } catch (error) {
      return this.#recover(before, error, onError);
    }
  }

  /** The same for a library function in which the script can pause. */
  *pausableProtect(run: () => Body, onError: (value: LuaValue) => readonly LuaValue[]): Body {
    const before = this.#now();
    try {
      return [true, ...list(yield* run())];
    } catch (error) {
      return this.#recover(before, error, onError);
    }
  }

  #now(): Before {
    const { depth, frames, coroutine } = this;
    return { depth, frames, coroutine, nestedCalls: this.#nestedCalls };
  }

  #recover(before: Before, error: unknown, onError: (value: LuaValue) => readonly LuaValue[]): readonly LuaValue[] {
    const caught = this.asLuaError(error);
    try {
      if (caught === undefined) throw error;
      return onError(caught.value);
    } finally {
      ({ depth: this.depth, frames: this.frames, coroutine: this.coroutine, nestedCalls: this.#nestedCalls } = before);
    }
  }

  /** What pcall may catch: Lua's errors, and a full stack or a string that is too long, which are such. */
  asLuaError(error: unknown): LuaError | undefined {
    if (error instanceof LuaError) return error;
    if (!isNative(error, "RangeError")) return undefined;
    return error.message.startsWith("Maximum call stack") ? this.stackOverflow() : new LuaError("not enough memory");
  }

  /** The call that overflowed may have counted itself already, without having said where it is. */
  stackOverflow(): LuaError {
    while (this.depth > 0 && this.frames[this.depth] === undefined) this.depth -= 1;
    return this.error("stack overflow");
  }

  /** An error of a library function: the message with the place of its caller before it. */
  error(message: string): LuaError {
    return new LuaError(this.where(1) + message);
  }

  /** `user_script:1: ` of the function at a level; level 1 is the caller of the library function that asks. */
  where(level: number): string {
    const site = this.siteAt(level);
    return site === undefined || site.line < 0 ? "" : `${site.chunk.label}:${site.line}: `;
  }

  /** The place of the function at a level, undefined when there is none or when a tail call replaced it. */
  siteAt(level: number): Site | undefined {
    const at = this.depth + 1 - level;
    if (at < 1 || at > this.depth) return undefined;
    const site = this.frames[at];
    const replaced = site?.tail === true && at < this.depth && this.frames[at + 1] !== LIBRARY_SITE;
    return replaced ? undefined : site;
  }

  /** Before the host works on its data: a full stack must be met here, not in the middle of a command. */
  ensureStack(): void {
    if (this.depth > SHALLOW) probeStack(PROBE_FRAMES);
  }
}

function probeStack(frames: number): number {
  return frames === 0 ? 0 : probeStack(frames - 1) + 1;
}
