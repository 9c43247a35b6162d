/** One `.lua` file to the text of its `.gen.ts`. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { checkCode, parseScript } from "./header.mjs";
import { localsOf, mergedForm, singleForm } from "./lua.mjs";
import { ScriptError } from "./script-error.mjs";
import { typeScriptFor } from "./typescript.mjs";

const SOURCES = path.resolve(import.meta.dirname, "../../packages/holdfast/src");
const SCRIPT_FLOOR = path.join(SOURCES, "script");
const DRIVER_FLOOR = path.join(SOURCES, "driver");
/** What a module cannot export a constant as, of the words that a script is likely to be called. */
const RESERVED = new Set(
  "await break case catch class const continue default delete do else enum export extends false finally for function if import in instanceof let new null return static super switch this throw true try typeof var void while with yield".split(
    " ",
  ),
);

/** @param {string} file path of the `.lua` @param {string} root folder from which the script's name is counted */
export function compile(file, root) {
  const description = parseScript(file, readFileSync(file, "utf8"));
  const includes = description.includes.flatMap((include) => readInclude(file, include, description));
  const exportName = exportNameOf(file);
  const name = [...path.relative(root, path.dirname(file)).split(path.sep), exportName].filter(Boolean).join(".");
  return typeScriptFor({
    luaFile: path.basename(file),
    scriptFloor: importPath(file, SCRIPT_FLOOR),
    driverFloor: importPath(file, DRIVER_FLOOR),
    exportName,
    name,
    description,
    lua: singleForm(name, description, includes),
    merged: description.batch ? mergedForm(name, description, includes) : undefined,
  });
}

/** From the primitive's own `include/`, else from the one that all share. */
function readInclude(file, { name, line }, { keys, args }) {
  const places = [path.join(path.dirname(file), "include"), path.join(SCRIPT_FLOOR, "include")];
  const found = places.map((folder) => path.join(folder, `${name}.lua`)).find((place) => existsSync(place));
  if (found === undefined) throw new ScriptError(file, line, `include "${name}" is in none of: ${places.join(", ")}`);
  const lines = readFileSync(found, "utf8").split(/\r?\n/);
  checkCode(found, lines);
  const given = new Set(localsOf(lines));
  const shadowing = [...keys, ...args].find((declared) => given.has(declared.name));
  if (shadowing === undefined) return lines;
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

function importPath(file, floor) {
  const relative = path.relative(path.dirname(file), floor).split(path.sep).join("/");
  return relative.startsWith(".") ? relative : `./${relative}`;
}
