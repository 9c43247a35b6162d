/**
 * The Lua of functions: one state beside that of EVAL's scripts, in which libraries are loaded and their functions are called.
 * A library is a chunk that runs once and registers its functions; its locals live as long as they do.
 */
import { compileChunk } from "./compile/chunk.ts";
import { LuaCompileError, LuaError, LuaSyntaxError, ScriptInterrupt } from "./runtime/errors.ts";
import type { LuaHost, ScriptLimits } from "./host.ts";
import { type CompiledScript, compiledScript } from "./invocation.ts";
import { type FunctionScope, installFunctionGlobals } from "./lib/globals.ts";
import { readRegistration, type Registration } from "./lib/register-function.ts";
import { errorTable } from "./reply-from-host.ts";
import { toText } from "./runtime/operators.ts";
import { cString } from "./runtime/site.ts";
import { LuaState } from "./runtime/state.ts";
import { LuaTable } from "./runtime/table.ts";
import { type LuaFunction, type LuaResult, type LuaValue, NOTHING } from "./runtime/value.ts";

export interface RegisteredFunction extends Omit<Registration, "callback"> {
  readonly compiled: CompiledScript;
}

/** Takes one function of the library that is loaded, or says why it refuses it. */
export type Registrar = (registered: RegisteredFunction) => string | undefined;

const CHUNK_NAME = "@user_function";

export class FunctionEngine {
  readonly #state: LuaState = new LuaState();
  readonly #enter: (scope: FunctionScope) => void;
  /** Set while a library is loaded. */
  #registrar: Registrar | undefined;

  constructor() {
    this.#enter = installFunctionGlobals(this.#state, (args) => this.#register(args));
    this.#enter("calling");
  }

  /**
   * Runs a library. Throws LuaCompileError when it is not Lua or ends in an error; functions registered before that are
   * to be dropped.
   * @param source binary string, its `#!lua` line cut off with its line feed left
   */
  load(source: string, host: LuaHost, registrar: Registrar, limits: ScriptLimits): void {
    const main = this.#compile(source);
    this.#registrar = registrar;
    this.#enter("loading");
    this.#state.begin(host, limits, false);
    try {
      main();
    } catch (error) {
      throw this.#loadError(error);
    } finally {
      this.#state.end();
      this.#enter("calling");
      this.#registrar = undefined;
    }
  }

  #compile(source: string): LuaFunction {
    try {
      return compileChunk(this.#state, source, CHUNK_NAME, true);
    } catch (error) {
      if (!(error instanceof LuaSyntaxError)) throw error;
      throw new LuaCompileError(`Error compiling function: ${error.message}`);
    }
  }

  #loadError(error: unknown): unknown {
    const caught = this.#state.asLuaError(error);
    if (caught === undefined && !(error instanceof ScriptInterrupt)) return error;
    const message = caught === undefined ? (error as ScriptInterrupt).message : messageOf(caught.value);
    return new LuaCompileError(`Error registering functions: ${message}`);
  }

  /**
   * Runs as a generator from its start: a run changes what the function keeps in the locals of its library, so that none can
   * be begun again to pause.
   */
  #compiled(name: string, main: LuaFunction): CompiledScript {
    return compiledScript(this.#state, {
      name,
      main,
      suspendable: () => main,
      arguments: (keys, argv) => [keys, argv],
    });
  }

  /** redis.register_function. A function can keep it in a local and call it later, in vain. */
  #register(args: readonly LuaValue[]): LuaResult {
    if (this.#registrar === undefined) {
      throw new LuaError(errorTable("redis.register_function can only be called on FUNCTION LOAD command"));
    }
    const { callback, ...registration } = readRegistration(args);
    const compiled = this.#compiled(registration.name, callback);
    const refused = this.#registrar({ ...registration, compiled });
    if (refused !== undefined) throw new LuaError(errorTable(refused));
    return NOTHING;
  }
}

/** Of an error table its text; the libraries' own errors are such tables. */
function messageOf(value: LuaValue): string {
  if (value instanceof LuaTable) return cString(toText(value.getString("err")) ?? "(null)");
  return `ERR ${cString(toText(value) ?? "(null)")}`;
}
