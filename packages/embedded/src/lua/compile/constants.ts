/** Constants as Lua's compiler makes them (lcode.c: constfolding, addk). */
import { modulo, power } from "../runtime/operators.ts";
import type { BinaryOperator, Expression } from "../syntax/ast.ts";

/** The number that an expression of numerals folds to, undefined when Lua leaves it to the program. */
export function foldNumber(expression: Expression): number | undefined {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "parenthesis":
      return foldNumber(expression.inner);
    case "unary": {
      const operand = expression.operator === "-" ? foldNumber(expression.operand) : undefined;
      return operand === undefined ? undefined : -operand;
    }
    case "binary": {
      const left = foldNumber(expression.left);
      const right = left === undefined ? undefined : foldNumber(expression.right);
      return left === undefined || right === undefined ? undefined : compute(expression.operator, left, right);
    }
    default:
      return undefined;
  }
}

function compute(operator: BinaryOperator, x: number, y: number): number | undefined {
  const result = computeAny(operator, x, y);
  return Number.isNaN(result) ? undefined : result;
}

function computeAny(operator: BinaryOperator, x: number, y: number): number | undefined {
  switch (operator) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      return y === 0 ? undefined : x / y;
    case "%":
      return y === 0 ? undefined : modulo(x, y);
    case "^":
      return power(x, y);
    default:
      return undefined;
  }
}

/**
 * The number constants of one function. Lua finds them by value, and 0 equals -0: whichever of the two a function
 * mentions first stands for both.
 */
export class NumberConstants {
  #zero: number | undefined = undefined;

  text(number: number): string {
    if (number !== 0) return number < 0 ? `(${number})` : String(number);
    this.#zero ??= number;
    return Object.is(this.#zero, -0) ? "(-0)" : "0";
  }
}
