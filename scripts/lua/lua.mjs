/**
 * Writes the Lua that is sent: includes, locals for keys and arguments, the body; once, or as a loop over items.
 * It comes in pieces, because an include is emitted once for all the scripts of a folder.
 *
 * @typedef {string | { readonly include: Include }} Piece
 * @typedef {{ name: string, text: string }} Include
 */

/** @typedef {import("./header.mjs").Description} Description */

const IN_LUA = {
  bytes: (value) => value,
  text: (value) => value,
  // Lua's numbers would round it.
  bigint: (value) => value,
  int: (value) => `tonumber(${value})`,
  float: (value) => `tonumber(${value})`,
  bool: (value) => `${value} == '1'`,
  json: (value) => `cjson.decode(${value})`,
};

/** @param {string} name @param {Description} script @param {Include[]} includes @returns {Piece[]} */
export function singleForm(name, script, includes) {
  return form(name, includes, [...localsFor(script, ""), ...stripped(script.body)]);
}

/**
 * Each item has its own outcome: two elements, 0 and its reply or 1 and its error's text. A nil reply becomes false,
 * because nil would end the table. Arguments that all items share are sent once.
 * @param {string} name @param {Description} script @param {Include[]} includes @returns {Piece[]}
 */
export function mergedForm(name, script, includes) {
  const body = [...localsFor(script, "shifted"), ...stripped(script.body)];
  return form(name, includes, [
    "local function run(keyAt, argAt)",
    ...body.map((line) => `  ${line}`),
    "end",
    `local outcomes, size, argAt, step = {}, 0, 0, #ARGV > ${script.args.length} and ${script.args.length} or 0`,
    `for keyAt = 0, #KEYS - 1, ${script.keys.length} do`,
    "  local ok, reply = pcall(run, keyAt, argAt)",
    "  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end",
    "  if reply == nil then reply = false end",
    "  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply",
    "  size, argAt = size + 2, argAt + step",
    "end",
    "return outcomes",
  ]);
}

/** @param {string[]} lines @returns {string} what is sent of an include */
export function includeText(lines) {
  return joined(stripped(lines));
}

/** @param {Piece[]} pieces @returns {string} the Lua as the server gets it */
export function sentText(pieces) {
  return pieces.map((piece) => (typeof piece === "string" ? piece : piece.include.text)).join("");
}

function form(name, includes, lines) {
  return [`-- ${name}\n`, ...includes.map((include) => ({ include })), joined(lines)];
}

/** The names that an include provides to the scripts that use it. */
export function localsOf(lines) {
  return lines.flatMap((line) => /^local\s+(?:function\s+)?([\w,\s]+)/.exec(line)?.[1].split(/[,\s]+/) ?? []);
}

function localsFor({ keys, args }, shifted) {
  const key = shifted ? (index) => `KEYS[keyAt + ${index}]` : (index) => `KEYS[${index}]`;
  const arg = shifted ? (index) => `ARGV[argAt + ${index}]` : (index) => `ARGV[${index}]`;
  return [
    ...localsFrom(
      "KEYS",
      keys.map((each) => ({ ...each, type: "bytes" })),
      key,
    ),
    ...localsFrom("ARGV", args, arg),
  ];
}

function localsFrom(table, declared, element) {
  const single = declared.filter(({ variadic }) => !variadic);
  const lines = [];
  if (single.length > 0) {
    const values = single.map(({ type }, index) => IN_LUA[type](element(index + 1)));
    lines.push(`local ${single.map(({ name }) => name).join(", ")} = ${values.join(", ")}`);
  }
  const list = declared.at(-1);
  if (list?.variadic) lines.push(...listFrom(table, list, declared.length));
  return lines;
}

/** A loop, because `unpack` is limited to some thousand elements. */
function listFrom(table, { name, type }, first) {
  if (first === 1 && IN_LUA[type](table) === table) return [`local ${name} = ${table}`];
  const shift = first === 1 ? "" : ` - ${first - 1}`;
  return [
    `local ${name} = {}`,
    `for i = ${first}, #${table} do ${name}[i${shift}] = ${IN_LUA[type](`${table}[i]`)} end`,
  ];
}

/** Without comment lines and blank lines: each server keeps the source, and SLOWLOG shows its beginning. */
function stripped(lines) {
  return lines.map((line) => line.trimEnd()).filter((line) => line !== "" && !/^\s*--/.test(line));
}

function joined(lines) {
  return `${lines.join("\n")}\n`;
}
