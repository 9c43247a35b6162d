/**
 * Parser of Lua 5.1, built like lparser.c so that a wrong program is refused at the same token with the same message.
 * Statements are here, expressions in expressions.ts.
 */
import type { Block, CallExpression, Expression, FunctionBody, Statement, Target, Variable } from "./ast.ts";
import { Expressions } from "./expressions.ts";
import { END_OF_SOURCE, NAME } from "./lexer.ts";

/** The chunk as a function body without parameters that takes `...`. */
export function parse(source: string, chunkName: string): FunctionBody {
  return new Parser(source, chunkName).chunk();
}

const BLOCK_ENDS: ReadonlySet<string> = new Set(["else", "elseif", "end", "until", END_OF_SOURCE]);

class Parser extends Expressions {
  chunk(): FunctionBody {
    const body = this.scopes.openFunction(0);
    body.vararg = true;
    this.advance();
    body.block = this.statements();
    this.check(END_OF_SOURCE);
    this.scopes.closeFunction();
    return body;
  }

  protected override statements(): Block {
    const statements: Statement[] = [];
    this.enterLevel();
    for (let last = false; !last && !BLOCK_ENDS.has(this.lexer.type);) {
      const statement = this.#statement();
      statements.push(statement);
      last = statement.kind === "return" || statement.kind === "break";
      this.accept(";");
    }
    this.leaveLevel();
    return statements;
  }

  #statement(): Statement {
    const { line } = this.lexer;
    switch (this.lexer.type) {
      case "if":
        return this.#if(line);
      case "while":
        return this.#while(line);
      case "do":
        this.advance();
        return { kind: "do", block: this.#closedBlock("do", line) };
      case "for":
        return this.#for(line);
      case "repeat":
        return this.#repeat(line);
      case "function":
        return this.#function(line);
      case "local":
        this.advance();
        return this.accept("function") ? this.#localFunction() : this.#local();
      case "return":
        return this.#return();
      case "break":
        this.advance();
        if (!this.scopes.insideLoop) throw this.syntaxError("no loop to break");
        return { kind: "break" };
      default:
        return this.#callOrAssignment();
    }
  }

  #block(breakable = false): Block {
    this.scopes.openBlock(breakable);
    const block = this.statements();
    this.scopes.closeBlock();
    return block;
  }

  #closedBlock(opener: string, line: number, breakable = false): Block {
    const block = this.#block(breakable);
    this.expectClosing("end", opener, line);
    return block;
  }

  #if(line: number): Statement {
    const branches = [this.#branch()];
    while (this.lexer.type === "elseif") branches.push(this.#branch());
    const otherwise = this.accept("else") ? this.#block() : undefined;
    this.expectClosing("end", "if", line);
    return { kind: "if", branches, otherwise };
  }

  #branch(): { condition: Expression; block: Block } {
    this.advance();
    const condition = this.expression();
    this.expect("then");
    return { condition, block: this.#block() };
  }

  #while(line: number): Statement {
    this.advance();
    const condition = this.expression();
    this.expect("do");
    return { kind: "while", condition, block: this.#closedBlock("while", line, true), line };
  }

  /** The condition sees the block's variables. */
  #repeat(line: number): Statement {
    this.advance();
    this.scopes.openBlock(true);
    const block = this.statements();
    this.expectClosing("until", "repeat", line);
    const condition = this.expression();
    this.scopes.closeBlock();
    return { kind: "repeat", block, condition, line };
  }

  #for(line: number): Statement {
    this.advance();
    this.scopes.openBlock(true);
    const first = this.scopes.create(this.name());
    const statement = this.#forHeader(first);
    this.expectClosing("end", "for", line);
    this.scopes.closeBlock();
    return statement;
  }

  #forHeader(first: Variable): Statement {
    if (this.lexer.type === "=") return this.#numericFor(first);
    if (this.lexer.type === "," || this.lexer.type === "in") return this.#genericFor(first);
    throw this.syntaxError("'=' or 'in' expected");
  }

  #numericFor(variable: Variable): Statement {
    this.#reserve(["(for index)", "(for limit)", "(for step)"]);
    this.advance();
    const start = this.expression();
    this.expect(",");
    const limit = this.expression();
    const step = this.accept(",") ? this.expression() : undefined;
    this.expect("do");
    const line = this.lastLine;
    return { kind: "numericFor", variable, start, limit, step, block: this.#loopBody([variable]), line };
  }

  #genericFor(first: Variable): Statement {
    this.#reserve(["(for generator)", "(for state)", "(for control)"]);
    const variables = [first];
    while (this.accept(",")) variables.push(this.scopes.create(this.name()));
    this.expect("in");
    const { line } = this.lexer;
    const values = this.expressionList();
    this.expect("do");
    return { kind: "genericFor", variables, values, block: this.#loopBody(variables), line };
  }

  /** Lua's hidden loop variables count towards the limit on locals. */
  #reserve(names: readonly string[]): void {
    this.scopes.activate(names.map((name) => this.scopes.create(name)));
  }

  #loopBody(variables: readonly Variable[]): Block {
    this.scopes.openBlock(false);
    this.declare(variables);
    const block = this.#block();
    this.scopes.closeBlock();
    return block;
  }

  #function(line: number): Statement {
    this.advance();
    let target: Expression = this.variable();
    while (this.lexer.type === ".") target = this.field(target);
    const method = this.lexer.type === ":";
    if (method) target = this.field(target);
    const body = this.functionBody(method, line);
    this.markAssigned(target);
    return { kind: "assign", targets: [target as Target], values: [{ kind: "function", body }], line };
  }

  #localFunction(): Statement {
    const variable = this.scopes.create(this.name());
    this.declare([variable]);
    return { kind: "localFunction", variable, body: this.functionBody(false, this.lexer.line) };
  }

  #local(): Statement {
    const variables: Variable[] = [];
    do {
      variables.push(this.scopes.create(this.name()));
      this.checkLocals(variables.length);
    } while (this.accept(","));
    const values = this.accept("=") ? this.expressionList() : [];
    this.scopes.activate(variables);
    return { kind: "local", variables, values };
  }

  #return(): Statement {
    this.advance();
    const empty = BLOCK_ENDS.has(this.lexer.type) || this.lexer.type === ";";
    return { kind: "return", values: empty ? [] : this.expressionList() };
  }

  #callOrAssignment(): Statement {
    const first = this.primary();
    if (first.kind === "call") return { kind: "call", call: first satisfies CallExpression };
    const targets = [this.#target(first)];
    while (this.accept(",")) targets.push(this.#target(this.primary()));
    this.expect("=");
    const values = this.expressionList();
    return { kind: "assign", targets, values, line: this.lastLine };
  }

  #target(expression: Expression): Target {
    if (expression.kind !== "local" && expression.kind !== "global" && expression.kind !== "index") {
      throw this.syntaxError("syntax error");
    }
    this.markAssigned(expression);
    return expression;
  }

  protected name(): string {
    this.check(NAME);
    const { text } = this.lexer;
    this.advance();
    return text;
  }
}
