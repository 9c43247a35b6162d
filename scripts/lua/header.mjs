/** Reads one `.lua` file: its header into a description, and what follows as the body. */
import { ScriptError } from "./script-error.mjs";
import { parseField, parseType, SCALARS } from "./types.mjs";

const CLASSES = ["read", "idempotent", "dedupable", "unsafe"];
const NAME = /^[a-z][A-Za-z0-9]*$/;
/** Words of Lua, and the names that generated code around a body needs for itself. */
const RESERVED = new Set(
  (
    "and break do else elseif end false for function if in local nil not or repeat return then true until while " +
    "KEYS ARGV redis cjson tonumber pcall keyAt argAt"
  ).split(" "),
);

/**
 * @typedef {import("./types.mjs").Type} Type
 * @typedef {{ name: string, doc: string, variadic: boolean }} Key
 * @typedef {{ name: string, doc: string, variadic: boolean, type: keyof typeof SCALARS }} Argument
 * @typedef {{ status: string, fields: import("./types.mjs").Field[] }} Result
 * @typedef {{ doc: string[], opClass: string, batch: boolean, most: number | undefined, includes: { name: string, line: number }[],
 *   keys: Key[], args: Argument[], results: Result[], returns: Type | undefined,
 *   body: string[] }} Description
 */

/** @param {string} file for messages @param {string} source @returns {Description} @throws ScriptError */
export function parseScript(file, source) {
  const lines = source.split(/\r?\n/);
  const reader = new HeaderReader(file);
  let line = 0;
  while (line < lines.length && /^\s*(--.*)?$/.test(lines[line])) {
    reader.read(lines[line].trim(), line + 1);
    line += 1;
  }
  const description = reader.finish();
  if (line === lines.length) throw new ScriptError(file, line, "the script has no body");
  checkCode(file, lines, line);
  return { ...description, body: lines.slice(line) };
}

/**
 * Code speaks of keys and arguments by their names only, because the merged form shifts them; and comments are
 * stripped line by line, which must not reach into a string.
 * @param {string} file @param {string[]} lines @param {number} from index of the first line to look at
 */
export function checkCode(file, lines, from = 0) {
  for (let at = from; at < lines.length; at += 1) {
    const refuse = (message) => {
      throw new ScriptError(file, at + 1, message);
    };
    if (/\[=*\[/.test(lines[at])) refuse("long brackets are not supported; use -- comments and quoted strings");
    if (/^\s*--\s*@\w/.test(lines[at])) refuse("header lines must come before the body");
    const raw = /\b(KEYS|ARGV)\b/.exec(lines[at].replace(/--.*$/, ""));
    if (raw !== null) refuse(`use the names of the header instead of ${raw[1]}`);
  }
}

class HeaderReader {
  constructor(file) {
    this.file = file;
    this.line = 1;
    this.tagged = false;
    this.names = new Set();
    this.header = {
      doc: [],
      opClass: "",
      batch: false,
      most: undefined,
      includes: [],
      keys: [],
      args: [],
      results: [],
      returns: undefined,
    };
  }

  read(text, line) {
    this.line = line;
    if (/^--\[=*\[/.test(text)) this.fail("long brackets are not supported; use -- comments");
    const tag = /^--\s*@(\S*)\s*(.*)$/.exec(text);
    if (tag === null) return this.describe(text);
    this.tagged = true;
    const words = tag[2].split(/\s+/).filter((word) => word !== "");
    const read = Object.hasOwn(TAGS, tag[1]) ? TAGS[tag[1]] : undefined;
    if (read === undefined) this.fail(`unknown header line @${tag[1]}; known: ${Object.keys(TAGS).join(", ")}`);
    read(this, words);
  }

  /** The description begins with `---` and ends with the first tag; other comments are for the reader of the Lua. */
  describe(text) {
    const { doc } = this.header;
    if (!this.tagged && (doc.length > 0 || text.startsWith("---"))) doc.push(text.replace(/^-+/, "").trim());
  }

  finish() {
    const { header } = this;
    if (header.doc.length === 0) this.fail('the first line must say what the script does: "--- ..."');
    if (header.opClass === "") this.fail(`the header lacks "-- @class", one of: ${CLASSES.join(", ")}`);
    if (header.results.length === 0 && header.returns === undefined) this.fail("the header lacks @result or @returns");
    if (header.batch) this.checkBatch();
    return header;
  }

  checkBatch() {
    const { keys, args } = this.header;
    if (keys.length === 0) this.fail("@batch needs at least one @key, by which the items are told apart");
    if ([...keys, ...args].some(({ variadic }) => variadic))
      this.fail("@batch needs a fixed number of keys and arguments");
  }

  /** A name that becomes a local variable of the body. */
  local(word, what, declared) {
    if (declared.at(-1)?.variadic) this.fail(`nothing can follow the list "${declared.at(-1).name}..."`);
    const name = this.name(word, what);
    if (RESERVED.has(name)) this.fail(`"${name}" has a meaning in Lua; choose another name`);
    if (this.names.has(name)) this.fail(`"${name}" is declared twice`);
    this.names.add(name);
    return name;
  }

  name(word, what) {
    if (word === undefined || !NAME.test(word)) this.fail(`expected ${what} in camelCase, got "${word ?? ""}"`);
    return word;
  }

  /** Runs a parser of types, whose errors do not know the place. */
  parsed(parse, text) {
    try {
      return parse(text);
    } catch (error) {
      return this.fail(error.message);
    }
  }

  fail(message) {
    throw new ScriptError(this.file, this.line, message);
  }
}

const TAGS = {
  class(reader, [opClass]) {
    if (!CLASSES.includes(opClass)) reader.fail(`expected one of ${CLASSES.join(", ")}, got "${opClass ?? ""}"`);
    if (reader.header.opClass !== "") reader.fail("@class is given twice");
    reader.header.opClass = opClass;
  },
  batch(reader, [most]) {
    if (most !== undefined && !/^[1-9]\d{0,2}$/.test(most))
      reader.fail(`expected how many calls are merged at most, got "${most}"`);
    reader.header.batch = true;
    reader.header.most = most === undefined ? undefined : Number(most);
  },
  include(reader, [name]) {
    if (name === undefined || !/^[a-z][a-z0-9-]*$/.test(name)) reader.fail("expected the name of a file in include/");
    if (reader.header.includes.some((include) => include.name === name)) reader.fail(`"${name}" is included twice`);
    reader.header.includes.push({ name, line: reader.line });
  },
  key(reader, [name, ...doc]) {
    const { keys } = reader.header;
    keys.push({ name: reader.local(name, "the key's name", keys), doc: doc.join(" "), variadic: false });
  },
  keys(reader, [word = "", ...doc]) {
    if (!word.endsWith("...")) reader.fail('a list of keys is written "@keys name..."');
    const { keys } = reader.header;
    keys.push({ name: reader.local(word.slice(0, -3), "the keys' name", keys), doc: doc.join(" "), variadic: true });
  },
  arg(reader, [word = "", type = "", ...doc]) {
    const { args } = reader.header;
    const variadic = word.endsWith("...");
    const name = reader.local(variadic ? word.slice(0, -3) : word, "the argument's name", args);
    if (!Object.hasOwn(SCALARS, type)) {
      reader.fail(`the type of "${name}" must be one of ${Object.keys(SCALARS).join(", ")}, got "${type}"`);
    }
    args.push({ name, doc: doc.join(" "), variadic, type });
  },
  result(reader, [word, ...fields]) {
    const { results, returns } = reader.header;
    if (returns !== undefined) reader.fail("@result and @returns exclude each other");
    const status = reader.name(word, "the result's status");
    if (results.some((result) => result.status === status)) reader.fail(`@result ${status} is given twice`);
    results.push({ status, fields: fields.map((text) => resultField(reader, text)) });
  },
  returns(reader, [text = ""]) {
    if (reader.header.results.length > 0) reader.fail("@result and @returns exclude each other");
    if (reader.header.returns !== undefined) reader.fail("@returns is given twice");
    reader.header.returns = reader.parsed(parseType, text);
  },
};

function resultField(reader, text) {
  const field = reader.parsed(parseField, text);
  if (field.name === "status") reader.fail('a field cannot be named "status": that is the name of the result itself');
  return field;
}
