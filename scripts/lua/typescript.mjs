/** Writes the `scripts.gen.ts` of a folder: for each script its interfaces, and the object that encodes, names and decodes. */
import { createHash } from "node:crypto";
import { sentText } from "./lua.mjs";
import { capitalised, decoderOf, typeScriptOf } from "./types.mjs";

/** First words of each generated file; by them a file is known to be ours to overwrite and to delete. */
export const BANNER = "// Generated from ";

const ARGUMENT_TYPES = {
  bytes: "Arg",
  text: "string",
  int: "number",
  float: "number",
  bool: "boolean",
  json: "unknown",
  bigint: "bigint",
};
/** These encoders can refuse a value and name its field. */
const CHECKED = new Set(["int", "float", "json"]);

/**
 * @typedef {{ exportName: string, name: string, lua: import("./lua.mjs").Piece[], merged: import("./lua.mjs").Piece[] | undefined,
 *   includes: import("./lua.mjs").Include[], description: import("./header.mjs").Description }} Unit
 */

/**
 * @param {Unit[]} units the scripts of one folder
 * @param {{ scriptFloor: string, driverFloor: string }} floors import paths as seen from the generated file
 */
export function typeScriptFor(units, floors) {
  const used = new Set();
  const use = (name) => {
    used.add(name);
    return name;
  };
  const sections = units.flatMap((unit) => scriptSections(unit, use));
  const includes = new Map(units.flatMap((unit) => unit.includes.map((include) => [include.name, include.text])));
  const constants = [...includes].map(([name, text]) => `const ${constantOf(name)} = \`${quoted(text)}\`;`);
  return `${[`${BANNER}lua/*.lua by scripts/generate-scripts.mjs; do not edit.`, imports(floors, used), ...constants, ...sections].join("\n\n")}\n`;
}

function scriptSections(unit, use) {
  const { description, exportName } = unit;
  const type = capitalised(exportName);
  const keys = description.keys.map((key) => ({ ...key, type: "bytes" }));
  return [
    fieldsType(`${type}Keys`, keys, use),
    fieldsType(`${type}Args`, description.args, use),
    resultType(`${type}Result`, description),
    scriptObject(unit, type, use),
  ];
}

function imports({ scriptFloor, driverFloor }, used) {
  const modules = [
    [/^Arg$/, "import type", `${driverFloor}/port.ts`],
    [/^decode|^expect|^Unexpected/, "import", `${scriptFloor}/decode.ts`],
    [/^encode/, "import", `${scriptFloor}/encode.ts`],
    [/Script$|^None$/, "import type", `${scriptFloor}/script.ts`],
  ];
  return modules
    .flatMap(([pattern, keyword, path]) => {
      const names = [...used].filter((name) => pattern.test(name)).toSorted((a, b) => (a < b ? -1 : 1));
      return names.length === 0 ? [] : [`${keyword} { ${names.join(", ")} } from "${path}";`];
    })
    .join("\n");
}

function fieldsType(name, declared, use) {
  if (declared.length === 0) return `export type ${name} = ${use("None")};`;
  const fields = declared.flatMap((field) => [...docLines([field.doc], "  "), `  ${fieldType(field, use)}`]);
  return [`export interface ${name} {`, ...fields, "}"].join("\n");
}

function fieldType({ name, type, variadic }, use) {
  const single = ARGUMENT_TYPES[type];
  if (single === "Arg") use("Arg");
  return `readonly ${name}: ${variadic ? `readonly ${single}[]` : single};`;
}

function resultType(name, { results, returns }) {
  if (returns !== undefined) return `export type ${name} = ${typeScriptOf(returns)};`;
  const members = results.map(({ status, fields }) => {
    const parts = [
      `readonly status: "${status}"`,
      ...fields.map((each) => `readonly ${each.name}: ${typeScriptOf(each.type)}`),
    ];
    return `  | { ${parts.join("; ")} }`;
  });
  return `export type ${name} =\n${members.join("\n")};`;
}

function scriptObject({ description, exportName, name, lua, merged }, type, use) {
  const kind = use(merged === undefined ? "Script" : "BatchScript");
  return [
    ...docLines(description.doc, ""),
    `export const ${exportName}: ${kind}<${type}Keys, ${type}Args, ${type}Result> = {`,
    `  class: "${description.opClass}",`,
    ...source(name, lua, "  "),
    ...encoder(
      "encodeKeys",
      "keys",
      description.keys.map((key) => ({ ...key, type: "bytes" })),
      use,
    ),
    ...encoder("encodeArgs", "args", description.args, use),
    ...decoder(description, use),
    ...(description.most === undefined ? [] : [`  most: ${description.most},`]),
    ...(merged === undefined ? [] : ["  merged: {", ...source(`${name} (merged)`, merged, "    "), "  },"]),
    "};",
  ].join("\n");
}

function source(name, pieces, indent) {
  const sha1 = createHash("sha1").update(sentText(pieces)).digest("hex");
  const literal = pieces
    .map((piece) => (typeof piece === "string" ? quoted(piece) : `\${${constantOf(piece.include.name)}}`))
    .join("");
  return [`${indent}name: "${name}",`, `${indent}sha1: "${sha1}",`, `${indent}lua: \`${literal}\`,`];
}

function quoted(text) {
  return text.replaceAll(/[\\`]|\$\{/g, String.raw`\$&`);
}

/** `wait-queue` to `WAIT_QUEUE`. */
function constantOf(includeName) {
  return includeName.replaceAll("-", "_").toUpperCase();
}

function encoder(method, parameter, declared, use) {
  if (declared.length === 0) return [`  ${method}() {},`];
  const single = declared.filter(({ variadic }) => !variadic);
  const lines = [];
  if (single.length > 0) {
    lines.push(`    out.push(${single.map((each) => encoded(each, `${parameter}.${each.name}`, use)).join(", ")});`);
  }
  const list = declared.at(-1);
  if (list.variadic)
    lines.push(`    for (const each of ${parameter}.${list.name}) out.push(${encoded(list, "each", use)});`);
  return [`  ${method}(${parameter}, out) {`, ...lines, "  },"];
}

function encoded({ name, type }, value, use) {
  if (type === "bytes" || type === "text") return value;
  const encode = use(`encode${capitalised(type)}`);
  return CHECKED.has(type) ? `${encode}("${name}", ${value})` : `${encode}(${value})`;
}

function decoder({ results, returns }, use) {
  if (returns !== undefined) return ["  decode(reply) {", `    return ${decoderOf(returns, "reply", use)};`, "  },"];
  const statuses = results.map(({ status }) => status).join(", ");
  return [
    "  decode(reply) {",
    `    const { status, fields } = ${use("decodeUnion")}(reply);`,
    "    switch (status) {",
    ...results.flatMap((result) => caseOf(result, use)),
    "      default:",
    `        throw new ${use("UnexpectedReplyError")}("one of ${statuses}", reply);`,
    "    }",
    "  },",
  ];
}

function caseOf({ status, fields }, use) {
  const parts = fields.map(({ name, type }, index) => `${name}: ${decoderOf(type, `fields[${index + 1}]`, use)}`);
  return [
    `      case "${status}":`,
    `        ${use("expectFields")}(fields, ${fields.length});`,
    `        return { ${[`status: "${status}"`, ...parts].join(", ")} };`,
  ];
}

function docLines(doc, indent) {
  const lines = doc.filter((line) => line !== "").map((line) => line.replaceAll("*/", String.raw`*\/`));
  if (lines.length === 0) return [];
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`];
}
