/** Names to variables while a chunk is parsed, with Lua's limits on them. */
import type { FunctionBody, Variable } from "./ast.ts";

const MAX_LOCALS = 200;
const MAX_UPVALUES = 60;

export interface LoopScope {
  readonly function: FunctionBody;
  readonly breakable: boolean;
  readonly outer: LoopScope | undefined;
  /** Length of `active` at its begin. */
  readonly base: number;
}

export class Scopes {
  #lastId = 0;
  #function: FunctionBody | undefined = undefined;
  #block: LoopScope | undefined = undefined;
  /** Variables in scope, of all functions under way, innermost last. */
  #active: Variable[] = [];

  get function(): FunctionBody {
    return this.#function!;
  }

  openFunction(line: number): FunctionBody {
    const body: FunctionBody = {
      line,
      parent: this.#function,
      parameters: [],
      vararg: false,
      argTable: undefined,
      usesVararg: false,
      block: [],
      upvalues: new Set(),
    };
    this.#function = body;
    this.openBlock(false);
    return body;
  }

  closeFunction(): void {
    this.closeBlock();
    this.#function = this.#function?.parent;
  }

  openBlock(breakable: boolean): void {
    this.#block = { function: this.function, breakable, outer: this.#block, base: this.#active.length };
  }

  closeBlock(): void {
    this.#active.length = this.#block!.base;
    this.#block = this.#block!.outer;
  }

  get insideLoop(): boolean {
    let block = this.#block;
    while (block !== undefined && block.function === this.#function) {
      if (block.breakable) return true;
      block = block.outer;
    }
    return false;
  }

  /** A new variable, not yet in scope. */
  create(name: string): Variable {
    this.#lastId += 1;
    return { name, id: this.#lastId, owner: this.function, reassigned: false };
  }

  /** Brings variables into scope. */
  activate(variables: readonly Variable[]): void {
    this.#active.push(...variables);
  }

  /** The message of Lua's limit when `more` variables do not fit into the current function. */
  limitOnLocals(more: number): string | undefined {
    const own = this.#active.filter((variable) => variable.owner === this.#function).length;
    return own + more > MAX_LOCALS ? limitMessage(this.function, MAX_LOCALS, "local variables") : undefined;
  }

  find(name: string): Variable | undefined {
    for (let at = this.#active.length - 1; at >= 0; at -= 1) {
      if (this.#active[at]!.name === name) return this.#active[at];
    }
    return undefined;
  }

  /** Notes that the current function uses the variable; the message of Lua's limit when that is one too many. */
  use(variable: Variable): string | undefined {
    for (let user = this.#function; user !== undefined && user !== variable.owner; user = user.parent) {
      user.upvalues.add(variable);
      if (user.upvalues.size > MAX_UPVALUES) return limitMessage(user, MAX_UPVALUES, "upvalues");
    }
    return undefined;
  }
}

function limitMessage(body: FunctionBody, limit: number, what: string): string {
  const where = body.line === 0 ? "main function" : `function at line ${body.line}`;
  return `${where} has more than ${limit} ${what}`;
}
