/** One `.lua` file to what its folder's `scripts.gen.ts` says of it. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { checkCode, parseScript } from "./header.mjs";
import { includeText, localsOf, mergedForm, singleForm } from "./lua.mjs";
import { ScriptError } from "./script-error.mjs";
import { typeScriptFor } from "./typescript.mjs";

const SOURCES = path.resolve(import.meta.dirname, "../../packages/holdfast/src");
const SCRIPT_FLOOR = path.join(SOURCES, "core/script");
const DRIVER_FLOOR = path.join(SOURCES, "driver");
/** What a module cannot export a constant as, of the words that a script is likely to be called. */
const RESERVED = new Set(
  "await break case catch class const continue default delete do else enum export extends false finally for function if import in instanceof let new null return static super switch this throw true try typeof var void while with yield".split(
    " ",
  ),
);

/**
 * @param {string} file path of the `.lua`
 * @param {string} owner the folder of the script's primitive, as its name begins: `locks`
 * @returns {import("./typescript.mjs").Unit}
 */
export function compile(file, owner) {
  const description = parseScript(file, readFileSync(file, "utf8"));
  const includes = description.includes.map((include) => readInclude(file, include, description));
  const exportName = exportNameOf(file);
  const name = [...owner.split(path.sep), exportName].filter(Boolean).join(".");
  return {
    exportName,
    name,
    description,
    includes,
    lua: singleForm(name, description, includes),
    merged: description.batch ? mergedForm(name, description, includes) : undefined,
  };
}

/** @param {string} folder @param {import("./typescript.mjs").Unit[]} units @returns {string} the text of its `scripts.gen.ts` */
export function moduleText(folder, units) {
  return typeScriptFor(units, {
    scriptFloor: importPath(folder, SCRIPT_FLOOR),
    driverFloor: importPath(folder, DRIVER_FLOOR),
  });
}

/** From the primitive's own `lua/include/`, else from the one that all share. */
function readInclude(file, { name, line }, { keys, args }) {
  const places = [path.join(path.dirname(file), "include"), path.join(SCRIPT_FLOOR, "include")];
  const found = places.map((folder) => path.join(folder, `${name}.lua`)).find((place) => existsSync(place));
  if (found === undefined) throw new ScriptError(file, line, `include "${name}" is in none of: ${places.join(", ")}`);
  const lines = readFileSync(found, "utf8").split(/\r?\n/);
  checkCode(found, lines);
  const defined = new Set(localsOf(lines));
  const shadowing = [...keys, ...args].find((declared) => defined.has(declared.name));
  if (shadowing === undefined) return { name, text: includeText(lines) };
  throw new ScriptError(
    file,
    line,
    `"${shadowing.name}" is also defined by the include "${name}"; choose another name`,
  );
}

function exportNameOf(file) {
  const base = path.basename(file, ".lua");
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(base))
    throw new ScriptError(file, 1, "the file's name must be in kebab-case");
  const name = base.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase());
  if (RESERVED.has(name)) throw new ScriptError(file, 1, `"${name}" is a word of TypeScript; name the file otherwise`);
  return name;
}

function importPath(folder, floor) {
  const relative = path.relative(folder, floor).split(path.sep).join("/");
  return relative.startsWith(".") ? relative : `./${relative}`;
}
