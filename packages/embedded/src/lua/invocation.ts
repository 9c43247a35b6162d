/** One run of compiled Lua for a client, from its start to its reply, and the pauses between. */
import { type LuaError, ScriptInterrupt } from "./runtime/errors.ts";
import type { ErrorReply, HostReply, LuaHost, ScriptLimits } from "./host.ts";
import { plainText } from "./lib/base.ts";
import { errorReply, toHost } from "./reply-to-host.ts";
import { type Body, PAUSE, yieldAcrossCall } from "./runtime/coroutine.ts";
import { toText } from "./runtime/operators.ts";
import { cString } from "./runtime/site.ts";
import { BEGIN_AGAIN } from "./runtime/recording.ts";
import type { LuaState } from "./runtime/state.ts";
import { LuaTable } from "./runtime/table.ts";
import { first, type LuaFunction, type LuaResult, type LuaValue } from "./runtime/value.ts";

export type RunLimits = Omit<ScriptLimits, "pause">;

export interface CompiledScript {
  /**
   * Runs it to its end, never two scripts of one engine at once. The result is converted by Redis's rules; an error that
   * the script did not catch is an error reply. What the host throws comes out as it is.
   * @param keys,argv binary strings
   */
  run(host: LuaHost, keys: readonly string[], argv: readonly string[], limits?: RunLimits): HostReply;
  /** The same with pauses, where the limits ask for them: runs it to its end or to the first. */
  start(
    host: LuaHost,
    keys: readonly string[],
    argv: readonly string[],
    limits: ScriptLimits,
  ): HostReply | PausedScript;
}

/** What is run: a script or a function. */
export interface RunTarget {
  /** What error replies call it: a script's SHA-1, a function's name. */
  readonly name: string;
  /** Runs plain, which is fastest, unless it has a generator: then it can pause without being begun again. */
  readonly main: LuaFunction;
  /** `main` as a function with a generator, wherever `main` has none itself. */
  suspendable(): LuaFunction;
  /** Takes the keys and arguments of a run; what the function is called with. */
  arguments(keys: LuaTable, argv: LuaTable): readonly LuaValue[];
}

interface Invocation {
  readonly host: LuaHost;
  readonly keys: readonly string[];
  readonly argv: readonly string[];
  readonly limits: ScriptLimits;
}

export function compiledScript(state: LuaState, target: RunTarget): CompiledScript {
  return {
    // Without a pause in the limits there is none.
    run: (host, keys, argv, limits = {}) => start(state, target, { host, keys, argv, limits }) as HostReply,
    start: (host, keys, argv, limits) => start(state, target, { host, keys, argv, limits }),
  };
}

function start(state: LuaState, target: RunTarget, invocation: Invocation): HostReply | PausedScript {
  const { main, name } = target;
  const { host, limits } = invocation;
  const suspendable = main.generator !== undefined && limits.pause !== undefined;
  state.begin(host, limits, suspendable);
  if (suspendable) return startSuspendable(state, target, invocation);
  try {
    return finish(state, main(...argumentsOf(target, invocation)));
  } catch (error) {
    if (error !== BEGIN_AGAIN) return fail(state, name, error);
    state.beginAgain();
    return startSuspendable(state, target, invocation);
  }
}

function startSuspendable(state: LuaState, target: RunTarget, invocation: Invocation): HostReply | PausedScript {
  const { generator } = target.suspendable();
  if (generator === undefined) throw new Error("a function that cannot pause");
  return advance(state, target.name, generator(...argumentsOf(target, invocation)));
}

/** Made again for each start: the script may change them. */
function argumentsOf(target: RunTarget, { keys, argv }: Invocation): readonly LuaValue[] {
  return target.arguments(LuaTable.ofList([...keys]), LuaTable.ofList([...argv]));
}

/** A script between two of its steps. Until it has ended, nothing else may run in its engine. */
export class PausedScript {
  readonly #state: LuaState;
  readonly #name: string;
  readonly #body: Body;

  constructor(state: LuaState, name: string, body: Body) {
    this.#state = state;
    this.#name = name;
    this.#body = body;
  }

  /** Goes on to the end or to the next pause. */
  resume(): HostReply | PausedScript {
    return advance(this.#state, this.#name, this.#body);
  }

  /** Ends it where it is; no pcall of the script catches that. */
  interrupt(reason: ScriptInterrupt): HostReply {
    try {
      this.#body.throw(reason);
      throw reason;
    } catch (error) {
      return fail(this.#state, this.#name, error);
    }
  }
}

function advance(state: LuaState, name: string, body: Body): HostReply | PausedScript {
  try {
    let step = body.next([]);
    while (step.done !== true) {
      if (step.value === PAUSE) return new PausedScript(state, name, body);
      step = body.throw(yieldAcrossCall());
    }
    return finish(state, step.value);
  } catch (error) {
    return fail(state, name, error);
  }
}

function finish(state: LuaState, result: LuaResult): HostReply {
  const reply = toHost(first(result), state.resp);
  state.end();
  return reply;
}

function fail(state: LuaState, name: string, error: unknown): ErrorReply {
  try {
    return failure(state, name, error);
  } finally {
    state.end();
  }
}

function failure(state: LuaState, name: string, error: unknown): ErrorReply {
  if (error instanceof ScriptInterrupt) return errorReply(error.message + placeOf(state, name), false);
  const caught = state.asLuaError(error);
  if (caught === undefined) throw error;
  return uncaught(state, name, caught);
}

/** Redis's error handler adds the place to the error, so an error table of the read-only kind defeats it. */
function uncaught(state: LuaState, name: string, { value }: LuaError): ErrorReply {
  if (!(value instanceof LuaTable)) return errorReply(`ERR ${cString(plainText(value))}${placeOf(state, name)}`, false);
  if (value.readonly) return errorReply(`ERR Error running script ${name}, error in error handling\n`, false);
  const message = toText(value.getString("err")) ?? "ERR unknown error";
  return errorReply(cString(message) + placeOf(state, name), value.getString("ignore_error_stats_update") === true);
}

function placeOf(state: LuaState, name: string): string {
  const site = state.siteAt(1);
  return site === undefined ? "" : ` script: ${name}, on ${site.chunk.source}:${site.line}.`;
}
