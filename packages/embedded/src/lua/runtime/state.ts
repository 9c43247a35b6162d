/** What the scripts of one server share (the globals), and what belongs to the script that runs. */
import { getHeapStatistics } from "node:v8";
import { LuaError, ScriptInterrupt } from "../errors.ts";
import type { LuaHost, ScriptLimits } from "../host.ts";
import type { Coroutine } from "./coroutine.ts";
import { Random } from "./random.ts";
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
/** Above this depth of calls, a host call first makes sure that there is stack left for it. */
const SHALLOW = 200;
/** Frames of `probeStack` that have to fit before the host is called from a deep recursion: about 150 KB. */
const PROBE_FRAMES = 1_000;

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
  #host: LuaHost | undefined = undefined;
  #limits: ScriptLimits = {};
  #heapAtStart = 0;
  #nestedCalls = 1;

  /** The server, while a script runs. */
  host(): LuaHost {
    if (this.#host === undefined) throw new Error("no script is running");
    return this.#host;
  }

  begin(host: LuaHost, limits: ScriptLimits): void {
    this.#host = host;
    this.#limits = limits;
    this.#heapAtStart = 0;
    this.#nestedCalls = 1;
    this.frames = [];
    this.depth = 0;
    this.resp = 2;
    this.coroutine = undefined;
    this.fuel = limits.budget ?? DEFAULT_BUDGET;
  }

  end(): void {
    this.#host = undefined;
    this.frames = [];
  }

  /** A compiled function comes here when it is called too deep or with the budget used up. */
  onEnter(site: Site): void {
    if (this.depth >= MAX_DEPTH) {
      this.depth--;
      throw this.stackOverflow();
    }
    this.onLoop(site);
  }

  /** A compiled loop comes here when the budget is used up. */
  onLoop(site: Site): void {
    this.frames[this.depth] = site;
    if (this.fuel < 0) this.#renewBudget();
  }

  #renewBudget(): void {
    this.fuel = this.#limits.budget ?? DEFAULT_BUDGET;
    const used = getHeapStatistics().used_heap_size;
    if (this.#heapAtStart === 0) this.#heapAtStart = used;
    if (used - this.#heapAtStart > (this.#limits.maxHeapGrowth ?? DEFAULT_HEAP_GROWTH)) {
      throw new ScriptInterrupt("ERR Script killed because it used too much memory");
    }
    this.#limits.onBudget?.();
  }

  /** Work on strings counts by its size, so that the memory is looked at in time. */
  charge(bytes: number): void {
    this.fuel -= Math.trunc(bytes / BYTES_PER_STEP);
    if (this.fuel < 0) this.#renewBudget();
  }

  /** A library function calls back: its frame hides the names and lines of its caller. */
  callBack(target: LuaFunction, args: readonly LuaValue[]): LuaResult {
    if (this.#nestedCalls + 1 >= MAX_NESTED_CALLS) throw new LuaError(NESTED_TOO_DEEP);
    const depth = this.depth;
    this.#nestedCalls++;
    this.frames[++this.depth] = LIBRARY_SITE;
    const result = target(...args);
    this.#nestedCalls--;
    this.depth = depth;
    return result;
  }

  /** A metamethod runs: called by compiled code at `site`, or by a library function. Its first result. */
  callMetamethod(site: Site, target: LuaFunction, args: readonly LuaValue[]): LuaValue {
    if (site === LIBRARY_SITE) return first(this.callBack(target, args));
    const depth = this.depth;
    const interrupted = this.frames[depth]!;
    this.frames[depth] = site;
    if (this.#nestedCalls + 1 >= MAX_NESTED_CALLS) throw this.error(NESTED_TOO_DEEP);
    this.#nestedCalls++;
    const result = target(...args);
    this.#nestedCalls--;
    this.frames[depth] = interrupted;
    return first(result);
  }

  /** Runs something whose Lua errors are wanted as values; the frames are as before afterwards. */
  protect(run: () => LuaResult, onError: (value: LuaValue) => readonly LuaValue[]): readonly LuaValue[] {
    const { depth, frames, coroutine } = this;
    const nestedCalls = this.#nestedCalls;
    try {
      return [true, ...list(run())];
    } catch (error) {
      const caught = this.asLuaError(error);
      if (caught === undefined) throw error;
      const results = onError(caught.value);
      this.frames = frames;
      this.depth = depth;
      this.coroutine = coroutine;
      this.#nestedCalls = nestedCalls;
      return results;
    }
  }

  /** What pcall may catch: Lua's errors, and a full stack, which is one. */
  asLuaError(error: unknown): LuaError | undefined {
    if (error instanceof LuaError) return error;
    if (!(error instanceof RangeError)) return undefined;
    if (error.message.startsWith("Maximum call stack")) return this.stackOverflow();
    return error.message.startsWith("Invalid string length") ? new LuaError("not enough memory") : undefined;
  }

  /** The call that overflowed may have counted itself already, without having said where it is. */
  stackOverflow(): LuaError {
    while (this.depth > 0 && this.frames[this.depth] === undefined) this.depth--;
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

  /** Before the host works on its data: a full stack must be met here, not in the midst of a command. */
  ensureStack(): void {
    if (this.depth > SHALLOW) probeStack(PROBE_FRAMES);
  }
}

function probeStack(frames: number): number {
  return frames === 0 ? 0 : probeStack(frames - 1) + 1;
}
