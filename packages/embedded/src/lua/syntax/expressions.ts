/** The expression half of the parser (lparser.c). */
import type { BinaryOperator, Block, Expression, FunctionBody, TableExpression, Variable } from "./ast.ts";
import { NAME, NUMBER, STRING } from "./lexer.ts";
import { Scopes } from "./scope.ts";
import { TokenStream } from "./token-stream.ts";

/** [left, right] binding power; a right one that is lower makes the operator right-associative. */
const PRIORITY: Readonly<Record<string, readonly [number, number]>> = {
  "+": [6, 6],
  "-": [6, 6],
  "*": [7, 7],
  "/": [7, 7],
  "%": [7, 7],
  "^": [10, 9],
  "..": [5, 4],
  "==": [3, 3],
  "~=": [3, 3],
  "<": [3, 3],
  "<=": [3, 3],
  ">": [3, 3],
  ">=": [3, 3],
  and: [2, 2],
  or: [1, 1],
};
const UNARY_PRIORITY = 8;

export abstract class Expressions extends TokenStream {
  protected readonly scopes: Scopes = new Scopes();

  protected abstract statements(): Block;
  protected abstract name(): string;

  protected checkLocals(more: number): void {
    const message = this.scopes.limitOnLocals(more);
    if (message !== undefined) throw this.lexer.error(message);
  }

  protected declare(variables: readonly Variable[]): void {
    this.checkLocals(variables.length);
    this.scopes.activate(variables);
  }

  protected markAssigned(target: Expression): void {
    if (target.kind === "local") target.variable.reassigned = true;
  }

  protected expressionList(): Expression[] {
    const list = [this.expression()];
    while (this.accept(",")) list.push(this.expression());
    return list;
  }

  protected expression(limit = 0): Expression {
    this.enterLevel();
    let left = this.#operand();
    for (;;) {
      const operator = this.lexer.type;
      const priority = PRIORITY[operator];
      if (priority === undefined || priority[0] <= limit) break;
      this.advance();
      left = this.#binary(operator, left, this.expression(priority[1]));
    }
    this.leaveLevel();
    return left;
  }

  #binary(operator: string, left: Expression, right: Expression): Expression {
    if (operator === "and" || operator === "or") return { kind: operator, left, right };
    return { kind: "binary", operator: operator as BinaryOperator, left, right, line: this.lastLine };
  }

  #operand(): Expression {
    const operator = this.lexer.type;
    if (operator !== "not" && operator !== "-" && operator !== "#") return this.#simple();
    this.advance();
    const operand = this.expression(UNARY_PRIORITY);
    return { kind: "unary", operator, operand, line: this.lastLine };
  }

  #simple(): Expression {
    switch (this.lexer.type) {
      case NUMBER:
        return this.#literal({ kind: "number", value: this.lexer.number });
      case STRING:
        return this.#literal({ kind: "string", value: this.lexer.text });
      case "nil":
      case "true":
      case "false":
        return this.#literal({ kind: this.lexer.type });
      case "...":
        return this.#vararg();
      case "{":
        return this.#table();
      case "function":
        this.advance();
        return { kind: "function", body: this.functionBody(false, this.lexer.line) };
      default:
        return this.primary();
    }
  }

  #literal(expression: Expression): Expression {
    this.advance();
    return expression;
  }

  #vararg(): Expression {
    const body = this.scopes.function;
    if (!body.vararg) throw this.syntaxError("cannot use '...' outside a vararg function");
    body.usesVararg = true;
    return this.#literal({ kind: "vararg" });
  }

  /** A name, or an expression in parentheses, with what follows it: fields, keys, calls. */
  protected primary(): Expression {
    let expression = this.#prefix();
    for (;;) {
      switch (this.lexer.type) {
        case ".":
          expression = this.field(expression);
          break;
        case "[": {
          const key = this.#key();
          expression = { kind: "index", object: expression, key, line: this.lastLine };
          break;
        }
        case ":": {
          this.advance();
          expression = this.#call(expression, this.name());
          break;
        }
        case "(":
        case STRING:
        case "{":
          expression = this.#call(expression, undefined);
          break;
        default:
          return expression;
      }
    }
  }

  #prefix(): Expression {
    const { line } = this.lexer;
    if (this.accept("(")) {
      const inner = this.expression();
      this.expectClosing(")", "(", line);
      return { kind: "parenthesis", inner };
    }
    if (this.lexer.type === NAME) return this.variable();
    throw this.syntaxError("unexpected symbol");
  }

  protected variable(): Expression {
    const name = this.name();
    const variable = this.scopes.find(name);
    if (variable === undefined) return { kind: "global", name, line: this.lastLine };
    const limit = this.scopes.use(variable);
    if (limit !== undefined) throw this.lexer.error(limit);
    return { kind: "local", variable, upvalue: variable.owner !== this.scopes.function };
  }

  protected field(object: Expression): Expression {
    this.advance();
    const key: Expression = { kind: "string", value: this.name() };
    return { kind: "index", object, key, line: this.lastLine };
  }

  #key(): Expression {
    this.advance();
    const key = this.expression();
    this.expect("]");
    return key;
  }

  #call(target: Expression, method: string | undefined): Expression {
    const { line } = this.lexer;
    return { kind: "call", target, method, args: this.#args(line), line };
  }

  #args(line: number): Expression[] {
    switch (this.lexer.type) {
      case "(": {
        if (line !== this.lastLine) throw this.syntaxError("ambiguous syntax (function call x new statement)");
        this.advance();
        return this.#parenthesized(line);
      }
      case "{":
        return [this.#table()];
      case STRING:
        return [this.#literal({ kind: "string", value: this.lexer.text })];
      default:
        throw this.syntaxError("function arguments expected");
    }
  }

  #parenthesized(line: number): Expression[] {
    const args = this.lexer.type === ")" ? [] : this.expressionList();
    this.expectClosing(")", "(", line);
    return args;
  }

  #table(): Expression {
    const { line } = this.lexer;
    const items: TableExpression["items"][number][] = [];
    this.expect("{");
    do {
      if (this.lexer.type === "}") break;
      items.push(this.#item());
    } while (this.accept(",") || this.accept(";"));
    this.expectClosing("}", "{", line);
    return { kind: "table", items, line: this.lastLine };
  }

  #item(): TableExpression["items"][number] {
    if (this.lexer.type === NAME && this.peek() === "=") {
      const key: Expression = { kind: "string", value: this.name() };
      this.expect("=");
      return { key, value: this.expression() };
    }
    if (this.lexer.type !== "[") return { key: undefined, value: this.expression() };
    const key = this.#key();
    this.expect("=");
    return { key, value: this.expression() };
  }

  protected functionBody(method: boolean, line: number): FunctionBody {
    const body = this.scopes.openFunction(line);
    this.expect("(");
    if (method) this.#parameter(body, "self");
    this.#parameters(body);
    this.expect(")");
    body.block = this.statements();
    this.expectClosing("end", "function", line);
    this.scopes.closeFunction();
    return body;
  }

  #parameters(body: FunctionBody): void {
    if (this.lexer.type === ")") return;
    const names: string[] = [];
    do {
      if (this.lexer.type === NAME) {
        names.push(this.name());
        this.checkLocals(names.length);
      } else if (this.accept("...")) body.vararg = true;
      else throw this.syntaxError("<name> or '...' expected");
    } while (!body.vararg && this.accept(","));
    for (const name of names) this.#parameter(body, name);
    if (!body.vararg) return;
    body.argTable = this.scopes.create("arg");
    this.declare([body.argTable]);
  }

  #parameter(body: FunctionBody, name: string): void {
    const variable = this.scopes.create(name);
    body.parameters.push(variable);
    this.declare([variable]);
  }
}
