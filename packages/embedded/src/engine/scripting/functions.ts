/** Functions: Lua that a server keeps, in libraries, and that clients call by name. Their Lua is in `lua/function-engine.ts`. */
import { system } from "../../base/system.ts";
import type { Engine } from "../engine.ts";
import { fail } from "../../base/errors.ts";
import { ScriptInterrupt } from "../../lua/engine.ts";
import { FunctionEngine, type RegisteredFunction } from "../../lua/function-engine.ts";
import { UNKNOWN_FLAG } from "../../lua/lib/register-function.ts";
import { compiled, type Runnable } from "./scripts.ts";
import { declaredFlags, SCRIPT_FLAGS } from "./shebang.ts";
import { BAD_NAME, isName, readMetadata } from "./metadata.ts";

export interface LibraryFunction extends Runnable {
  readonly description: string | undefined;
  readonly flagNames: readonly string[];
}

export interface Library {
  readonly name: string;
  readonly source: string;
  readonly functions: ReadonlyMap<string, LibraryFunction>;
}

/** The longest that a library may run while it is loaded. */
const LOAD_LIMIT_MS = 500;

export class Functions {
  readonly #engine: Engine;
  #byLibrary = new Map<string, Library>();
  /** By lower-case name: a function is called by its name in any case. */
  #byName = new Map<string, LibraryFunction>();
  /** Made with the first library. */
  #lua: FunctionEngine | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get libraries(): readonly Library[] {
    return [...this.#byLibrary.values()];
  }

  get size(): number {
    return this.#byName.size;
  }

  find(name: string): LibraryFunction | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /** Takes a library in, or ends the command and changes nothing. */
  load(source: string, replace: boolean): Library {
    const { name, length } = readMetadata(source);
    const old = this.#byLibrary.get(name);
    if (old !== undefined && !replace) fail(`ERR Library '${name}' already exists`);
    const library = { name, source, functions: this.#functionsOf(source.slice(length)) };
    for (const added of library.functions.values()) {
      const there = this.find(added.name);
      if (there !== undefined && there !== old?.functions.get(there.name)) {
        fail(`ERR Function ${added.name} already exists`);
      }
    }
    this.delete(name);
    this.#byLibrary.set(name, library);
    for (const added of library.functions.values()) this.#byName.set(added.name.toLowerCase(), added);
    return library;
  }

  /** Whether there was such a library. */
  delete(name: string): boolean {
    const library = this.#byLibrary.get(name);
    if (library === undefined) return false;
    for (const { name: function_ } of library.functions.values()) this.#byName.delete(function_.toLowerCase());
    return this.#byLibrary.delete(name);
  }

  flush(): void {
    this.#byLibrary.clear();
    this.#byName.clear();
  }

  /** Replaces all libraries by these, or throws CommandError and changes nothing. */
  replaceAll(sources: readonly string[]): void {
    const loaded = new Functions(this.#engine);
    for (const source of sources) loaded.load(source, false);
    this.#byLibrary = loaded.#byLibrary;
    this.#byName = loaded.#byName;
    this.#lua = loaded.#lua;
  }

  #functionsOf(code: string): Map<string, LibraryFunction> {
    const lua = (this.#lua ??= new FunctionEngine());
    const functions = new Map<string, LibraryFunction>();
    const limits = { onBudget: loadGuard() };
    compiled(() => lua.load(code, this.#engine.scripts, (registered) => register(functions, registered), limits));
    if (functions.size === 0) fail("ERR No functions registered");
    return functions;
  }
}

/** @returns why it is refused */
function register(functions: Map<string, LibraryFunction>, registered: RegisteredFunction): string | undefined {
  const { name, description, flags, compiled: script } = registered;
  if (!flags.every((flag) => SCRIPT_FLAGS.includes(flag))) return UNKNOWN_FLAG;
  if (!isName(name)) return BAD_NAME;
  if (functions.has(name)) return "Function already exists in the library";
  const flagNames = SCRIPT_FLAGS.filter((flag) => flags.includes(flag));
  functions.set(name, {
    kind: "function",
    name,
    description,
    flagNames,
    flags: declaredFlags(flagNames),
    compiled: script,
  });
  return undefined;
}

/** Measured in the process's own time, also under a virtual clock. */
function loadGuard(): () => void {
  const startMs = system.monotonicMs();
  return () => {
    if (system.monotonicMs() - startMs > LOAD_LIMIT_MS) throw new ScriptInterrupt("ERR FUNCTION LOAD timeout");
  };
}
