/** The syntax tree, with every name resolved to its variable. Lines are those of Lua's bytecode, for error messages. */
export interface Variable {
  readonly name: string;
  /** Unique in its chunk. */
  readonly id: number;
  readonly owner: FunctionBody;
  /** Assigned after its declaration. */
  reassigned: boolean;
}

export interface FunctionBody {
  readonly line: number;
  readonly parent: FunctionBody | undefined;
  parameters: Variable[];
  vararg: boolean;
  /** Lua 5.0's `arg` table, which a vararg function has when it never says `...`. */
  argTable: Variable | undefined;
  usesVararg: boolean;
  block: Block;
  /** Variables of enclosing functions that it uses. */
  readonly upvalues: Set<Variable>;
}

export type Block = readonly Statement[];

export type Expression =
  | { readonly kind: "nil" | "true" | "false" | "vararg" }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "function"; readonly body: FunctionBody }
  | { readonly kind: "local"; readonly variable: Variable; readonly upvalue: boolean }
  | { readonly kind: "global"; readonly name: string; readonly line: number }
  | IndexExpression
  | CallExpression
  | BinaryExpression
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | UnaryExpression
  | TableExpression
  | { readonly kind: "parenthesis"; readonly inner: Expression };

export interface IndexExpression {
  readonly kind: "index";
  readonly object: Expression;
  readonly key: Expression;
  readonly line: number;
}

export interface CallExpression {
  readonly kind: "call";
  readonly target: Expression;
  /** `object:method(...)`: target is the object. */
  readonly method: string | undefined;
  readonly args: readonly Expression[];
  readonly line: number;
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "^" | ".." | "==" | "~=" | "<" | "<=" | ">" | ">=";

export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly line: number;
}

export interface UnaryExpression {
  readonly kind: "unary";
  readonly operator: "not" | "-" | "#";
  readonly operand: Expression;
  readonly line: number;
}

export interface TableExpression {
  readonly kind: "table";
  /** In the order of the source; a list item has no key. */
  readonly items: readonly { readonly key: Expression | undefined; readonly value: Expression }[];
  readonly line: number;
}

export type Target = Extract<Expression, { kind: "local" | "global" | "index" }>;

export type Statement =
  | { readonly kind: "call"; readonly call: CallExpression }
  | { readonly kind: "local"; readonly variables: readonly Variable[]; readonly values: readonly Expression[] }
  | { readonly kind: "localFunction"; readonly variable: Variable; readonly body: FunctionBody }
  | {
      readonly kind: "assign";
      readonly targets: readonly Target[];
      readonly values: readonly Expression[];
      readonly line: number;
    }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly condition: Expression; readonly block: Block }[];
      readonly otherwise: Block | undefined;
    }
  | { readonly kind: "while"; readonly condition: Expression; readonly block: Block; readonly line: number }
  | { readonly kind: "repeat"; readonly block: Block; readonly condition: Expression; readonly line: number }
  | NumericFor
  | GenericFor
  | { readonly kind: "do"; readonly block: Block }
  | { readonly kind: "return"; readonly values: readonly Expression[] }
  | { readonly kind: "break" };

export interface NumericFor {
  readonly kind: "numericFor";
  readonly variable: Variable;
  readonly start: Expression;
  readonly limit: Expression;
  readonly step: Expression | undefined;
  readonly block: Block;
  readonly line: number;
}

export interface GenericFor {
  readonly kind: "genericFor";
  readonly variables: readonly Variable[];
  readonly values: readonly Expression[];
  readonly block: Block;
  readonly line: number;
}
