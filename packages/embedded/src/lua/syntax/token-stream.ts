/** What both halves of the parser do with tokens (lparser.c). */
import type { LuaSyntaxError } from "../runtime/errors.ts";
import { Lexer, tokenText, type TokenType } from "./lexer.ts";

/** Nested blocks and expressions, together. */
const MAX_LEVELS = 200;

/** The tokens of a chunk, one at a time, and the errors about them. */
export class TokenStream {
  protected readonly lexer: Lexer;
  /** Line of the last token that was consumed. */
  protected lastLine = 1;
  #levels = 0;
  #lookahead: { type: TokenType; text: string; number: number; line: number } | undefined = undefined;

  constructor(source: string, chunkName: string) {
    this.lexer = new Lexer(source, chunkName);
  }

  protected advance(): void {
    this.lastLine = this.lexer.line;
    if (this.#lookahead === undefined) {
      this.lexer.next();
    } else {
      Object.assign(this.lexer, this.#lookahead);
      this.#lookahead = undefined;
    }
  }

  /** Type of the token after the current one. */
  protected peek(): TokenType {
    const { type, text, number } = this.lexer;
    this.lexer.next();
    const { lexer } = this;
    this.#lookahead = { type: lexer.type, text: lexer.text, number: lexer.number, line: lexer.line };
    Object.assign(this.lexer, { type, text, number });
    return this.#lookahead.type;
  }

  protected accept(type: TokenType): boolean {
    if (this.lexer.type !== type) return false;
    this.advance();
    return true;
  }

  protected check(type: TokenType): void {
    if (this.lexer.type !== type) throw this.syntaxError(`'${tokenText(type)}' expected`);
  }

  protected expect(type: TokenType): void {
    this.check(type);
    this.advance();
  }

  protected expectClosing(type: TokenType, opener: TokenType, line: number): void {
    if (this.accept(type)) return;
    if (line === this.lexer.line) throw this.syntaxError(`'${type}' expected`);
    throw this.syntaxError(`'${type}' expected (to close '${opener}' at line ${line})`);
  }

  protected syntaxError(message: string): LuaSyntaxError {
    return this.lexer.error(message, this.lexer.type);
  }

  protected enterLevel(): void {
    if (++this.#levels > MAX_LEVELS) throw this.lexer.error("chunk has too many syntax levels");
  }

  protected leaveLevel(): void {
    this.#levels -= 1;
  }
}
