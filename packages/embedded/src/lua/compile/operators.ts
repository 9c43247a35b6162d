/**
 * Unary and binary operators. Two numbers are handled in place, equality of primitives too; the rest goes to the runtime.
 */
import type { BinaryExpression, Expression, UnaryExpression, Variable } from "../syntax/ast.ts";
import { foldNumber } from "./constants.ts";
import type { ChunkContext } from "./context.ts";
import { containsCall, isPrimitive } from "./kinds.ts";

const ARITHMETIC = { "+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "^": "pow" } as const;

/** What an operator needs of the compiler of its operands. */
export interface OperandCompiler {
  readonly context: ChunkContext;
  /** Variables that always hold a number. */
  readonly numbers: ReadonlySet<Variable>;
  temporary(): string;
  value(expression: Expression): string;
  condition(expression: Expression): string;
}

export class OperatorCompiler {
  readonly #compiler: OperandCompiler;

  constructor(compiler: OperandCompiler) {
    this.#compiler = compiler;
  }

  unary({ operator, operand, line }: UnaryExpression): string {
    if (operator === "not") return `!${this.#compiler.condition(operand)}`;
    if (operator === "#")
      return `length(S,${this.#compiler.value(operand)},${this.#compiler.context.site(line, operand)})`;
    const site = this.#compiler.context.site(line, operand, operand);
    const [load, name] = this.#operand(operand, false);
    return `(${load}typeof ${name}==="number"?-${name}:arithmetic(S,"unm",${name},${name},${site}))`;
  }

  binary(expression: BinaryExpression): string {
    const { operator, left, right, line } = expression;
    switch (operator) {
      case "..":
        return `concat(S,${this.#compiler.value(left)},${this.#compiler.value(right)},${this.#compiler.context.site(line, left, right)})`;
      case "==":
        return this.#equality(expression);
      case "~=":
        return `!${this.#equality(expression)}`;
      case "<":
        return this.#order("<", "lessThan", expression, false);
      case "<=":
        return this.#order("<=", "lessEqual", expression, false);
      case ">":
        return this.#order("<", "lessThan", expression, true);
      case ">=":
        return this.#order("<=", "lessEqual", expression, true);
      default:
        return this.#arithmetic(operator, expression);
    }
  }

  #arithmetic(operator: keyof typeof ARITHMETIC, { left, right, line }: BinaryExpression): string {
    const [load, a, b] = this.#operands(left, right);
    const site = this.#compiler.context.site(line, left, right);
    const event = ARITHMETIC[operator];
    const quick =
      operator === "%" ? `modulo(${a},${b})` : operator === "^" ? `power(${a},${b})` : `${a}${operator}${b}`;
    return `(${load}${this.#bothNumbers(left, a, right, b)}?${quick}:arithmetic(S,"${event}",${a},${b},${site}))`;
  }

  #order(operator: string, slow: string, { left, right, line }: BinaryExpression, swapped: boolean): string {
    const [load, x, y] = this.#operands(left, right);
    const [a, b] = swapped ? [y, x] : [x, y];
    const quick = `${this.#bothNumbers(left, x, right, y)}?${a}${operator}${b}`;
    return `(${load}${quick}:${slow}(S,${a},${b},${this.#compiler.context.site(line)}))`;
  }

  #equality({ left, right, line }: BinaryExpression): string {
    const [load, a, b] = this.#operands(left, right);
    if (isPrimitive(left) || isPrimitive(right)) return `(${load}${a}===${b})`;
    return `(${load}${a}===${b}||equalByMetamethod(S,${a},${b},${this.#compiler.context.site(line)}))`;
  }

  /** Code that loads both operands, in order, and the names under which they then are. */
  #operands(left: Expression, right: Expression): [load: string, a: string, b: string] {
    const [loadLeft, a] = this.#operand(left, containsCall(right));
    const [loadRight, b] = this.#operand(right, false);
    return [loadLeft + loadRight, a, b];
  }

  /** A local variable is read when the operation happens, an upvalue when its turn comes, as Lua's registers do. */
  #operand(expression: Expression, callFollows: boolean): [load: string, name: string] {
    const direct = expression.kind === "local" && !(expression.upvalue && callFollows);
    if (direct || isPrimitive(expression) || foldNumber(expression) !== undefined)
      return ["", this.#compiler.value(expression)];
    const name = this.#compiler.temporary();
    return [`${name}=${this.#compiler.value(expression)},`, name];
  }

  #bothNumbers(left: Expression, a: string, right: Expression, b: string): string {
    const checks = [this.#isNumber(left) ? "" : a, this.#isNumber(right) ? "" : b].filter((name) => name !== "");
    return checks.length === 0 ? "true" : checks.map((name) => `typeof ${name}==="number"`).join("&&");
  }

  #isNumber(expression: Expression): boolean {
    if (foldNumber(expression) !== undefined) return true;
    return expression.kind === "local" && this.#compiler.numbers.has(expression.variable);
  }
}
