/**
 * The types of a header: what they are in TypeScript, and the expression that makes them from a reply.
 *
 *     type  := base "?"?
 *     base  := "bytes" | "text" | "int" | "float" | "bool" | "json" | "bigint"
 *            | "list<" type ">" | "map<" type ">" | "rows<" field ("," field)* ">"
 *     field := name ":" type
 */

/** Types of one argument or one reply element, and their names in TypeScript. */
export const SCALARS = {
  bytes: "Buffer",
  text: "string",
  int: "number",
  float: "number",
  bool: "boolean",
  json: "unknown",
  bigint: "bigint",
};

const TOKEN = /[A-Za-z]\w*|[<>,:?]/y;

/**
 * @typedef {{ kind: "scalar", name: keyof typeof SCALARS } | { kind: "optional" | "list" | "map", of: Type }
 *   | { kind: "rows", columns: Field[] }} Type
 * @typedef {{ name: string, type: Type }} Field
 */

/** @param {string} text @returns {Type} @throws Error that says what is wrong with the text */
export function parseType(text) {
  return new Parser(text).whole((parser) => parser.type());
}

/** @param {string} text such as `fence:int` @returns {Field} */
export function parseField(text) {
  return new Parser(text).whole((parser) => parser.field());
}

class Parser {
  constructor(text) {
    this.text = text;
    this.tokens = tokensOf(text);
    this.at = 0;
  }

  whole(rule) {
    const result = rule(this);
    if (this.at < this.tokens.length) throw this.expected("the end");
    return result;
  }

  type() {
    const base = this.base();
    if (!this.accepts("?")) return base;
    return { kind: "optional", of: base };
  }

  base() {
    const name = this.word("a type");
    if (Object.hasOwn(SCALARS, name)) return { kind: "scalar", name };
    if (name === "list" || name === "map") return this.bracketed(() => ({ kind: name, of: this.type() }));
    if (name === "rows") return this.bracketed(() => ({ kind: "rows", columns: this.columns() }));
    throw new Error(
      `unknown type "${name}" in "${this.text}"; known: ${Object.keys(SCALARS).join(", ")}, list<>, map<>, rows<>`,
    );
  }

  columns() {
    const columns = [this.field()];
    while (this.accepts(",")) columns.push(this.field());
    return columns;
  }

  field() {
    const name = this.word("a field's name");
    this.needs(":");
    return { name, type: this.type() };
  }

  bracketed(rule) {
    this.needs("<");
    const result = rule();
    this.needs(">");
    return result;
  }

  word(what) {
    const token = this.tokens[this.at];
    if (token === undefined || !/^\w/.test(token)) throw this.expected(what);
    this.at += 1;
    return token;
  }

  needs(token) {
    if (!this.accepts(token)) throw this.expected(`"${token}"`);
  }

  accepts(token) {
    if (this.tokens[this.at] !== token) return false;
    this.at += 1;
    return true;
  }

  expected(what) {
    return new Error(
      `expected ${what} in "${this.text}"${this.at === 0 ? "" : ` after "${this.tokens[this.at - 1]}"`}`,
    );
  }
}

function tokensOf(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`unexpected "${text[at]}" in "${text}"`);
    tokens.push(match[0]);
  }
  return tokens;
}

/** @param {Type} type @returns {string} the TypeScript type of a decoded value */
export function typeScriptOf(type) {
  switch (type.kind) {
    case "scalar":
      return SCALARS[type.name];
    case "optional":
      return typeScriptOf(type.of) === "unknown" ? "unknown" : `${typeScriptOf(type.of)} | null`;
    case "list":
      return type.of.kind === "optional" ? `(${typeScriptOf(type.of)})[]` : `${typeScriptOf(type.of)}[]`;
    case "map":
      return `Map<string, ${typeScriptOf(type.of)}>`;
    default:
      return `{ ${type.columns.map(({ name, type }) => `readonly ${name}: ${typeScriptOf(type)}`).join("; ")} }[]`;
  }
}

/**
 * @param {Type} type
 * @param {string} part the expression for the reply's part
 * @param {(name: string) => string} use notes that a function of decode.ts is needed, and returns its name
 * @returns {string} the expression for the decoded value
 */
export function decoderOf(type, part, use) {
  switch (type.kind) {
    case "scalar":
      return `${use(`decode${capitalised(type.name)}`)}(${part})`;
    case "rows":
      return `${use("decodeRows")}(${part}, ${type.columns.length}, ${rowDecoder(type.columns, use)})`;
    default:
      return `${use(`decode${capitalised(type.kind)}`)}(${part}, ${decoderFunction(type.of, use)})`;
  }
}

function decoderFunction(type, use) {
  return type.kind === "scalar" ? use(`decode${capitalised(type.name)}`) : `(part) => ${decoderOf(type, "part", use)}`;
}

function rowDecoder(columns, use) {
  const fields = columns.map(({ name, type }, index) => {
    const part = index === 0 ? "flat[at]" : `flat[at + ${index}]`;
    return `${name}: ${decoderOf(type, part, use)}`;
  });
  return `(flat, at) => ({ ${fields.join(", ")} })`;
}

export function capitalised(name) {
  return name[0].toUpperCase() + name.slice(1);
}
