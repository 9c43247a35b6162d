/** What the compiler of one chunk collects: the constants of the generated program. */
import type { Chunk, Site } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable, type TableNode } from "../runtime/table.ts";
import type { LuaValue } from "../runtime/value.ts";
import type { Expression } from "../syntax/ast.ts";
import { describe, nameOf, type ValueName } from "./names.ts";

export class ChunkContext {
  readonly constants: unknown[] = [];
  readonly state: LuaState;
  readonly chunk: Chunk;
  /** Functions become generators, which coroutines can suspend, and in which the script can pause. */
  readonly suspendable: boolean;

  constructor(state: LuaState, chunk: Chunk, suspendable: boolean) {
    this.state = state;
    this.chunk = chunk;
    this.suspendable = suspendable;
  }

  /** The name under which generated code finds the value. */
  constant(value: unknown): string {
    return `k${this.constants.push(value) - 1}`;
  }

  site(line: number, left?: Expression, right?: Expression): string {
    return this.constant({
      chunk: this.chunk,
      line,
      left: left === undefined ? "" : describe(nameOf(left)),
      right: right === undefined ? "" : describe(nameOf(right)),
      name: undefined,
      method: false,
      tail: false,
    } satisfies Site);
  }

  callSite(line: number, name: ValueName | undefined, tail: boolean): string {
    const method = name?.kind === "method";
    const site: Site = { chunk: this.chunk, line, left: describe(name), right: "", name: name?.name, method, tail };
    return this.constant(site);
  }

  iteratorSite(line: number): string {
    const name = "(for generator)";
    return this.constant({ chunk: this.chunk, line, left: "", right: "", name, method: false, tail: false });
  }

  /**
   * The value of an expression that no script can change: a function or a table among the read-only globals, a function
   * of a read-only library.
   */
  fixedValue(expression: Expression): LuaValue {
    const value = this.#fixedNode(expression)?.value;
    return typeof value === "function" || (value instanceof LuaTable && value.readonly) ? value : undefined;
  }

  /** The node of a global that exists. The globals are read-only, so it is there for good; KEYS and ARGV change in it. */
  globalNode(name: string): TableNode | undefined {
    const { globals } = this.state;
    return globals.readonly ? globals.node(name) : undefined;
  }

  #fixedNode(expression: Expression): TableNode | undefined {
    if (expression.kind === "global") return this.globalNode(expression.name);
    if (expression.kind !== "index" || expression.key.kind !== "string") return undefined;
    const table = this.fixedValue(expression.object);
    return table instanceof LuaTable && table.readonly ? table.node(expression.key.value) : undefined;
  }
}
