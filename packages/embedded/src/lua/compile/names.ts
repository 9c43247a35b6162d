/** How Lua's messages name the value of an expression: `local 'x'`, `field 'name'`. Follows ldebug.c's getobjname. */
import { cString } from "../runtime/site.ts";
import type { Expression } from "../syntax/ast.ts";
import { foldNumber } from "./constants.ts";

export interface ValueName {
  readonly kind: "local" | "upvalue" | "global" | "field" | "method";
  readonly name: string;
}

export function nameOf(expression: Expression): ValueName | undefined {
  switch (expression.kind) {
    case "local":
      return { kind: expression.upvalue ? "upvalue" : "local", name: expression.variable.name };
    case "global":
      return { kind: "global", name: expression.name };
    case "index":
      return { kind: "field", name: expression.key.kind === "string" ? cString(expression.key.value) : "?" };
    case "call":
      return undefined;
    case "parenthesis":
      return nameOf(expression.inner);
    case "and":
      return isAlwaysTrue(expression.left) ? nameOf(expression.right) : undefined;
    case "or":
      return isAlwaysFalse(expression.left) ? nameOf(expression.right) : undefined;
    default:
      return undefined;
  }
}

/** Lua's compiler decides on such a first operand itself, so that only the second one is left. */
function isAlwaysTrue(expression: Expression): boolean {
  return expression.kind === "true" || expression.kind === "string" || foldNumber(expression) !== undefined;
}

function isAlwaysFalse({ kind }: Expression): boolean {
  return kind === "nil" || kind === "false";
}

export function describe(name: ValueName | undefined): string {
  return name === undefined ? "" : `${name.kind} '${name.name}'`;
}
