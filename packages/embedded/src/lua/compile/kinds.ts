/** What the compiler wants to know of an expression before it compiles it. */
import type { Expression } from "../syntax/ast.ts";

/** It may have any number of results. */
export function isMultiple(expression: Expression): boolean {
  return expression.kind === "call" || expression.kind === "vararg";
}

export function isPrimitive({ kind }: Expression): boolean {
  return kind === "number" || kind === "string" || kind === "nil" || kind === "true" || kind === "false";
}

export function isBoolean(expression: Expression): boolean {
  switch (expression.kind) {
    case "true":
    case "false":
      return true;
    case "unary":
      return expression.operator === "not";
    case "binary":
      return ["==", "~=", "<", "<=", ">", ">="].includes(expression.operator);
    case "parenthesis":
      return isBoolean(expression.inner);
    default:
      return false;
  }
}

export function containsCall(expression: Expression): boolean {
  switch (expression.kind) {
    case "call":
      return true;
    case "index":
      return containsCall(expression.object) || containsCall(expression.key);
    case "binary":
    case "and":
    case "or":
      return containsCall(expression.left) || containsCall(expression.right);
    case "unary":
      return containsCall(expression.operand);
    case "parenthesis":
      return containsCall(expression.inner);
    case "table":
      return expression.items.some(({ key, value }) => containsCall(value) || (key !== undefined && containsCall(key)));
    default:
      return false;
  }
}
