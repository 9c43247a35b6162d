/**
 * Lua expressions to JavaScript expressions. Two numbers are handled in place; everything else goes to the operators of
 * the runtime. A call notes its site in its frame right before it is made, after its arguments were worked out.
 */
import type { CallExpression, Expression, FunctionBody, TableExpression, Variable } from "../syntax/ast.ts";
import { constructorSize } from "../runtime/construct.ts";
import type { ChunkContext } from "./context.ts";
import { containsCall, isBoolean, isMultiple } from "./kinds.ts";
import { foldNumber, NumberConstants } from "./constants.ts";
import { nameOf } from "./names.ts";
import { OperatorCompiler } from "./operators.ts";

/** JavaScript's name of a Lua variable: its own, made unique. */
export function variableName(variable: Variable): string {
  return `${variable.name.replace(/\W/g, "_")}$${variable.id}`;
}

/** Makes the code of a function body; the statements' half of the compiler. */
export type FunctionCompiler = (context: ChunkContext, body: FunctionBody) => string;

/** What is called: code that loads it, with a comma at its end, and an expression for the function. */
interface Callee {
  readonly load: string;
  readonly function: string;
}

export class ExpressionCompiler {
  readonly context: ChunkContext;
  readonly #compileFunction: FunctionCompiler;
  readonly #operators: OperatorCompiler = new OperatorCompiler(this);
  readonly #constants: NumberConstants = new NumberConstants();
  /** Variables that always hold a number. */
  readonly numbers: Set<Variable> = new Set();
  #temporaries = 0;
  #mostTemporaries = 0;

  constructor(context: ChunkContext, compileFunction: FunctionCompiler) {
    this.context = context;
    this.#compileFunction = compileFunction;
  }

  /** Names to declare at the head of the function. */
  temporaryNames(): string[] {
    return Array.from({ length: this.#mostTemporaries }, (_, at) => `$${at + 1}`);
  }

  temporary(): string {
    this.#temporaries += 1;
    this.#mostTemporaries = Math.max(this.#mostTemporaries, this.#temporaries);
    return `$${this.#temporaries}`;
  }

  /** A statement's temporaries are free for the next one. */
  beginStatement(): void {
    this.#temporaries = 0;
  }

  /** Exactly one value. */
  value(expression: Expression): string {
    const number = foldNumber(expression);
    return number === undefined ? this.#computed(expression) : this.#constants.text(number);
  }

  #computed(expression: Expression): string {
    switch (expression.kind) {
      case "nil":
        return "undefined";
      case "true":
      case "false":
        return expression.kind;
      case "number":
        return this.#constants.text(expression.value);
      case "string":
        return JSON.stringify(expression.value);
      case "vararg":
        return "$va[0]";
      case "function":
        return this.#compileFunction(this.context, expression.body);
      case "local":
        return variableName(expression.variable);
      case "global":
        return this.#global(expression);
      case "index":
        return this.#index(expression);
      case "call":
        return this.#firstOf(this.call(expression));
      case "binary":
        return this.#operators.binary(expression);
      case "and":
      case "or":
        return this.#logical(expression);
      case "unary":
        return this.#operators.unary(expression);
      case "table":
        return this.#table(expression);
      default:
        return this.value(expression.inner);
    }
  }

  /** True in JavaScript exactly when the value is true in Lua. */
  condition(expression: Expression): string {
    switch (expression.kind) {
      case "and":
        return `(${this.condition(expression.left)}&&${this.condition(expression.right)})`;
      case "or":
        return `(${this.condition(expression.left)}||${this.condition(expression.right)})`;
      case "nil":
        return "false";
      case "number":
      case "string":
        return "true";
      case "local":
        return truthy(variableName(expression.variable));
      case "parenthesis":
        return this.condition(expression.inner);
      default:
        if (isBoolean(expression)) return this.value(expression);
        return this.#truthyOf(expression, this.temporary());
    }
  }

  #truthyOf(expression: Expression, name: string): string {
    return `((${name}=${this.value(expression)})!==undefined&&${name}!==false)`;
  }

  /** Values for a list of arguments: the last expression stands for all its results. */
  values(expressions: readonly Expression[]): string[] {
    return expressions.map((expression, at) => {
      if (at < expressions.length - 1 || !isMultiple(expression)) return this.value(expression);
      return `...${this.list(expression)}`;
    });
  }

  /** All results of a call or of `...`, as an array. */
  list(expression: Expression): string {
    if (expression.kind === "call") return `list(${this.call(expression)})`;
    return expression.kind === "vararg" ? "$va" : `[${this.value(expression)}]`;
  }

  /** Exactly `count` values, and statements for further expressions, which are only evaluated. */
  adjusted(expressions: readonly Expression[], count: number): { values: string[]; rest: string[] } {
    const values = expressions.slice(0, count).map((expression, at) => {
      const spreads = at === expressions.length - 1 && at < count - 1 && isMultiple(expression);
      return spreads ? this.list(expression) : this.value(expression);
    });
    const last = expressions.at(-1);
    const missing = count - values.length;
    if (missing > 0 && last !== undefined && isMultiple(last)) {
      const name = this.temporary();
      values.push(`(${name}=${values.pop()})[0]`);
      for (let at = 1; at <= missing; at += 1) values.push(`${name}[${at}]`);
    } else {
      for (let at = 0; at < missing; at += 1) values.push("undefined");
    }
    return { values, rest: expressions.slice(count).map((expression) => `(${this.value(expression)});`) };
  }

  /** A call with all its results: one value, or an array of any number. */
  call(call: CallExpression, tail = false): string {
    const name = call.method === undefined ? nameOf(call.target) : ({ kind: "method", name: call.method } as const);
    const site = this.context.callSite(call.line, name, tail);
    const fixed = call.method === undefined ? this.context.fixedValue(call.target) : undefined;
    if (typeof fixed === "function" && !(this.context.suspendable && fixed.generator !== undefined)) {
      return this.#directCall({ load: "", function: this.context.constant(fixed) }, call, site, []);
    }
    const self = call.method === undefined ? undefined : this.temporary();
    const target = this.#callTarget(call, self);
    const first = self === undefined ? [] : [self];
    if (this.context.suspendable) {
      return `(yield* invoke(S,${target},[${[...first, ...this.values(call.args)].join(",")}],${site}))`;
    }
    return this.#directCall(this.#checked(call, target, site), call, site, first);
  }

  /** The value to call; of a method call the object goes into `self`. */
  #callTarget(call: CallExpression, self: string | undefined): string {
    if (self === undefined) return this.value(call.target);
    const site = this.context.site(call.line, call.target);
    return `field(S,${self}=${this.value(call.target)},${JSON.stringify(call.method)},${site})`;
  }

  /** A function, by a check that costs nothing where it is one. */
  #checked(call: CallExpression, target: string, site: string): Callee {
    const plain = call.method === undefined && call.target.kind === "local";
    const name = plain ? target : this.temporary();
    return {
      load: plain ? "" : `${name}=${target},`,
      function: `typeof ${name}==="function"?${name}:callable(S,${name},${site})`,
    };
  }

  #directCall(callee: Callee, call: CallExpression, site: string, first: string[]): string {
    const note = `$F[$d]=${site}`;
    const args = [...first, ...this.values(call.args)];
    if (!call.args.some(containsCall)) return `(${callee.load}${note},${callee.function})(${args.join(",")})`;
    const last = args.pop()!;
    const spread = last.startsWith("...") ? "..." : "";
    const name = this.temporary();
    const noted = `${spread}(${name}=${last.slice(spread.length)},${note},${name})`;
    return `(${callee.load}${callee.function})(${[...args, noted].join(",")})`;
  }

  #firstOf(call: string): string {
    const name = this.temporary();
    return `(Array.isArray(${name}=${call})?${name}[0]:${name})`;
  }

  #global({ name, line }: Extract<Expression, { kind: "global" }>): string {
    const node = this.context.globalNode(name);
    if (node !== undefined) return `${this.context.constant(node)}.value`;
    return `field(S,S.globals,${JSON.stringify(name)},${this.context.site(line)})`;
  }

  #index({ object, key, line }: Extract<Expression, { kind: "index" }>): string {
    const fixed = this.context.fixedValue({ kind: "index", object, key, line });
    if (fixed !== undefined) return this.context.constant(fixed);
    const getter = key.kind === "string" ? "field" : "index";
    return `${getter}(S,${this.value(object)},${this.value(key)},${this.context.site(line, object)})`;
  }

  #logical({ kind, left, right }: Extract<Expression, { kind: "and" | "or" }>): string {
    if (isBoolean(left)) return `(${this.value(left)}${kind === "and" ? "&&" : "||"}${this.value(right)})`;
    const name = this.temporary();
    const test = this.#truthyOf(left, name);
    return kind === "and" ? `(${test}?${this.value(right)}:${name})` : `(${test}?${name}:${this.value(right)})`;
  }

  #table({ items, line }: TableExpression): string {
    if (items.length === 0) return "new LuaTable()";
    const last = items.at(-1)!;
    const open = last.key === undefined && isMultiple(last.value);
    const listed = items.filter(({ key }) => key === undefined).length - (open ? 1 : 0);
    const shape = this.context.constant({
      kinds: items
        .map(({ key }) => (key === undefined ? "i" : "r"))
        .join("")
        .slice(0, open ? -1 : undefined),
      arraySize: constructorSize(listed),
      hashSize: constructorSize(items.filter(({ key }) => key !== undefined).length),
    });
    const values = items.flatMap(({ key, value }, at) => {
      if (key !== undefined) return [this.value(key), this.value(value)];
      return at === items.length - 1 ? this.values([value]) : [this.value(value)];
    });
    return `construct(S,${shape},[${values.join(",")}],${this.context.site(line)})`;
  }
}

function truthy(name: string): string {
  return `(${name}!==undefined&&${name}!==false)`;
}
