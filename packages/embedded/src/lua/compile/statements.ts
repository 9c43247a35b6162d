/** Lua statements to JavaScript statements: the same blocks, loops and scopes, since JavaScript's `let` has Lua's. */
import type { Block, Expression, FunctionBody, GenericFor, NumericFor, Statement, Target } from "../syntax/ast.ts";
import { foldNumber } from "./constants.ts";
import type { ChunkContext } from "./context.ts";
import { ExpressionCompiler, variableName } from "./expressions.ts";

/** Leaves the frame of the function. */
const LEAVE = "S.depth=$d-1;";

/** A JavaScript function expression for a Lua function. */
export function compileFunction(context: ChunkContext, body: FunctionBody): string {
  return new FunctionCompilation(context, body).code();
}

class FunctionCompilation {
  readonly #context: ChunkContext;
  readonly #body: FunctionBody;
  readonly #expressions: ExpressionCompiler;

  constructor(context: ChunkContext, body: FunctionBody) {
    this.#context = context;
    this.#body = body;
    this.#expressions = new ExpressionCompiler(context, compileFunction);
  }

  code(): string {
    const { parameters, vararg, block, line } = this.#body;
    const names = parameters.map(variableName);
    if (vararg) names.push("...$va");
    const inside = this.#block(block);
    const returns = block.at(-1)?.kind === "return" ? "" : `${LEAVE}return NOTHING;`;
    const temporaries = this.#expressions.temporaryNames();
    const declared = temporaries.length === 0 ? "" : `let ${temporaries.join(",")};`;
    const code = `(${names.join(",")}){${this.#prologue(line)}${declared}${inside}${returns}}`;
    return this.#context.suspendable ? `suspendable(S,function*${code})` : `function${code}`;
  }

  #prologue(line: number): string {
    const site = this.#context.site(Math.max(line, 1));
    const enter = `const $F=S.frames,$d=++S.depth;${this.#look(`S.onEnter(${site})`, "||$d>=MAX_DEPTH")}`;
    const { argTable, usesVararg } = this.#body;
    if (argTable === undefined) return enter;
    return `${enter}let ${variableName(argTable)}=${usesVararg ? "undefined" : "argTable($va)"};`;
  }

  #block(block: Block): string {
    return block.map((statement) => this.#statement(statement)).join("\n");
  }

  #statement(statement: Statement): string {
    this.#expressions.beginStatement();
    switch (statement.kind) {
      case "call":
        return `${this.#expressions.call(statement.call)};`;
      case "local":
        return this.#local(statement);
      case "localFunction": {
        const name = variableName(statement.variable);
        return `let ${name};${name}=${compileFunction(this.#context, statement.body)};`;
      }
      case "assign":
        return this.#assign(statement);
      case "if":
        return this.#if(statement);
      case "while":
        return `while(${this.#condition(statement.condition)}){${this.#tick(statement.line)}${this.#block(statement.block)}}`;
      case "repeat":
        return this.#repeat(statement);
      case "numericFor":
        return this.#numericFor(statement);
      case "genericFor":
        return this.#genericFor(statement);
      case "do":
        return `{${this.#block(statement.block)}}`;
      case "return":
        return this.#return(statement.values);
      default:
        return "break;";
    }
  }

  #condition(condition: Expression): string {
    this.#expressions.beginStatement();
    return this.#expressions.condition(condition);
  }

  /** One step of the budget, on each round of a loop. */
  #tick(line: number): string {
    return this.#look(`S.onLoop(${this.#context.site(line)})`);
  }

  /** At the limits, when the budget is used up. A generator pauses here when it is to. */
  #look(call: string, also = ""): string {
    return this.#context.suspendable
      ? `if((--S.fuel<0||S.pauseDue${also})&&${call})yield PAUSE;`
      : `if(--S.fuel<0${also})${call};`;
  }

  #local({ variables, values }: Extract<Statement, { kind: "local" }>): string {
    for (const [at, variable] of variables.entries()) {
      if (values[at]?.kind === "number" && !variable.reassigned) this.#expressions.numbers.add(variable);
    }
    const adjusted = this.#expressions.adjusted(values, variables.length);
    const bindings = variables.map((variable, at) => `${variableName(variable)}=${adjusted.values[at]}`);
    return `let ${bindings.join(",")};${adjusted.rest.join("")}`;
  }

  #assign({ targets, values, line }: Extract<Statement, { kind: "assign" }>): string {
    const [target] = targets;
    if (targets.length === 1 && values.length === 1) {
      return `${this.#store(target!, this.#expressions.value(values[0]!), line)};`;
    }
    return this.#assignMany(targets, values, line);
  }

  /** All tables, keys and values are worked out first; then the values are stored, the last one first. */
  #assignMany(targets: readonly Target[], values: readonly Expression[], line: number): string {
    const prepared = targets.map((target) => this.#prepare(target, line));
    const adjusted = this.#expressions.adjusted(values, targets.length);
    const names = adjusted.values.map(() => this.#expressions.temporary());
    const loads = adjusted.values.map((code, at) => `${names[at]}=${code};`);
    const stores = prepared.map(({ store }, at) => `${store(names[at]!)};`).toReversed();
    return [...prepared.map(({ load }) => load), ...loads, ...adjusted.rest, ...stores].join("");
  }

  #prepare(target: Target, line: number): { load: string; store: (value: string) => string } {
    if (target.kind !== "index") return { load: "", store: (value) => this.#store(target, value, line) };
    const object = this.#expressions.temporary();
    const key = this.#expressions.temporary();
    const load = `${object}=${this.#expressions.value(target.object)};${key}=${this.#expressions.value(target.key)};`;
    const site = this.#context.site(line, target.object);
    return { load, store: (value) => `setIndex(S,${object},${key},${value},${site})` };
  }

  #store(target: Target, value: string, line: number): string {
    if (target.kind === "local") return `${variableName(target.variable)}=${value}`;
    if (target.kind === "global") {
      return `setIndex(S,S.globals,${JSON.stringify(target.name)},${value},${this.#context.site(line)})`;
    }
    const object = this.#expressions.value(target.object);
    const key = this.#expressions.value(target.key);
    return `setIndex(S,${object},${key},${value},${this.#context.site(line, target.object)})`;
  }

  #if({ branches, otherwise }: Extract<Statement, { kind: "if" }>): string {
    const code = branches.map(({ condition, block }) => `if(${this.#condition(condition)}){${this.#block(block)}}`);
    return code.join("else ") + (otherwise === undefined ? "" : `else{${this.#block(otherwise)}}`);
  }

  #repeat({ block, condition, line }: Extract<Statement, { kind: "repeat" }>): string {
    return `while(true){${this.#tick(line)}${this.#block(block)}\nif(${this.#condition(condition)})break;}`;
  }

  /** Like Lua's, the loop begins at (start - step) + step, which rounds differently from start. */
  #numericFor({ variable, start, limit, step, block, line }: NumericFor): string {
    const name = variableName(variable);
    const site = this.#context.site(line);
    const number = (expression: Expression, what: string): string =>
      foldNumber(expression) !== undefined
        ? this.#expressions.value(expression)
        : `loopNumber(S,${this.#expressions.value(expression)},"${what}",${site})`;
    const [at, end, by] = [`${name}_at`, `${name}_end`, `${name}_by`];
    const bounds = `${at}=${number(start, "initial value")},${end}=${number(limit, "limit")}`;
    const stride = step === undefined ? "1" : number(step, "step");
    const test = step === undefined ? `${at}<=${end}` : `(${by}>0?${at}<=${end}:${at}>=${end})`;
    if (!variable.reassigned) this.#expressions.numbers.add(variable);
    const inside = `${this.#tick(line)}let ${name}=${at};${this.#block(block)}`;
    return `{let ${bounds};const ${by}=${stride};for(${at}=${at}-${by}+${by};${test};${at}+=${by}){${inside}}}`;
  }

  #genericFor({ variables, values, block, line }: GenericFor): string {
    const name = variableName(variables[0]!);
    const [iterator, state, control, result] = ["f", "s", "c", "r"].map((suffix) => `${name}_${suffix}`);
    const { values: three, rest } = this.#expressions.adjusted(values, 3);
    const site = this.#context.iteratorSite(line);
    const bindings = variables.slice(1).map((variable, at) => `${variableName(variable)}=${result}[${at + 1}]`);
    const call = `(typeof ${iterator}==="function"?${iterator}:callable(S,${iterator},${site}))(${state},${control})`;
    return [
      `{let ${iterator}=${three[0]},${state}=${three[1]},${control}=${three[2]};`,
      ...rest,
      `while(true){${this.#tick(line)}$F[$d]=${site};const ${result}=list(${call});`,
      `let ${[`${name}=${result}[0]`, ...bindings].join(",")};`,
      `if(${name}===undefined)break;${control}=${name};`,
      this.#block(block),
      "}}",
    ].join("");
  }

  #return(values: readonly Expression[]): string {
    if (values.length === 0) return `${LEAVE}return NOTHING;`;
    const only = values[0]!;
    const name = this.#expressions.temporary();
    if (values.length > 1 || only.kind === "vararg") {
      const list = values.length === 1 ? "$va" : `[${this.#expressions.values(values).join(",")}]`;
      return `${name}=${list};${LEAVE}return ${name};`;
    }
    const code = only.kind === "call" ? this.#expressions.call(only, true) : this.#expressions.value(only);
    return `${name}=${code};${LEAVE}return ${name};`;
  }
}
