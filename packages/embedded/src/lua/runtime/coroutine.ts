/**
 * Coroutines on JavaScript generators. Functions of a chunk that uses them exist twice: as a generator, which a yield
 * can suspend, for calls from such chunks; and as a plain function for calls from libraries, across which Lua 5.1 does
 * not allow a yield either.
 *
 * The same generators let a whole script pause: they yield PAUSE, which passes through coroutines and through the
 * library functions that have a second form for it, up to whoever drives the script. Below a plain function there is none.
 */
import { LuaError } from "./errors.ts";
import { callable } from "./operators.ts";
import type { Site } from "./site.ts";
import type { LuaState } from "./state.ts";
import { list, type LuaFunction, type LuaResult, type LuaValue } from "./value.ts";

export type Body = Generator<readonly LuaValue[], LuaResult, readonly LuaValue[]>;
/** Yielded where the whole script pauses. Distinguished from a coroutine's yield by its identity. */
export const PAUSE: readonly LuaValue[] = Object.freeze([]);

type BodyFunction = (...args: LuaValue[]) => Body;

export type CoroutineStatus = "suspended" | "running" | "normal" | "dead";

export class Coroutine {
  status: CoroutineStatus = "suspended";
  readonly #target: LuaFunction;
  #body: Body | undefined = undefined;
  #frames: Site[] = [];
  #depth = 0;

  constructor(target: LuaFunction) {
    this.#target = target;
  }

  /** Runs until the next yield or the end. Lua errors come out as they were thrown; the coroutine is dead then. */
  *resume(state: LuaState, args: readonly LuaValue[]): Body {
    const { frames, depth, coroutine } = state;
    if (coroutine !== undefined) coroutine.status = "normal";
    this.status = "running";
    [state.frames, state.depth, state.coroutine] = [this.#frames, this.#depth, this];
    try {
      let step = this.#step(args);
      while (step.value === PAUSE) {
        yield PAUSE;
        step = this.#step([]);
      }
      this.status = step.done === true ? "dead" : "suspended";
      this.#depth = state.depth;
      return list(step.value);
    } catch (error) {
      this.status = "dead";
      throw error;
    } finally {
      [state.frames, state.depth, state.coroutine] = [frames, depth, coroutine];
      if (coroutine !== undefined) coroutine.status = "running";
    }
  }

  #step(args: readonly LuaValue[]): IteratorResult<readonly LuaValue[], LuaResult> {
    if (this.#body !== undefined) return this.#body.next(args);
    const { generator } = this.#target;
    if (generator === undefined) return { done: true, value: this.#target(...args) };
    this.#body = generator(...args);
    return this.#body.next([]);
  }
}

/** Called by generated code for every function: its two faces. */
export function suspendable(state: LuaState, generator: BodyFunction): LuaFunction {
  const plain: LuaFunction = (...args) => runToEnd(state, generator(...args));
  plain.generator = generator;
  return plain;
}

/**
 * Without a pause. A yield that is met here has a library function between itself and its coroutine; it fails where it
 * was made.
 */
export function runToEnd(state: LuaState, body: Body): LuaResult {
  const { depth } = state;
  state.unpausable += 1;
  try {
    let step = body.next([]);
    while (step.done !== true) step = body.throw(yieldAcrossCall());
    state.depth = depth;
    return step.value;
  } finally {
    state.unpausable -= 1;
  }
}

/** What a library function calls back: it may pause, but a yield fails as in `runToEnd`. */
export function* withoutYields(body: Body): Body {
  let step = body.next([]);
  while (step.done !== true) {
    if (step.value === PAUSE) {
      yield PAUSE;
      step = body.next([]);
    } else {
      step = body.throw(yieldAcrossCall());
    }
  }
  return step.value;
}

export function yieldAcrossCall(): LuaError {
  return new LuaError("attempt to yield across metamethod/C-call boundary");
}

/** A call in generated code: suspended together with what it calls. */
export function* invoke(state: LuaState, target: LuaValue, args: readonly LuaValue[], site: Site): Body {
  state.frames[state.depth] = site;
  const callee = callable(state, target, site);
  return callee.generator === undefined ? callee(...args) : yield* callee.generator(...args);
}
