/**
 * Writes the typed wrappers of `<folder>/lua/*.lua` to `<folder>/scripts.gen.ts`; docs/scripts.md has the format.
 *
 *     node scripts/generate-scripts.mjs [--check] [folder...]
 *
 * With `--check` nothing is written; the exit code is 1 when a wrapper is missing, differs or has lost its script.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ScriptError } from "./lua/script-error.mjs";
import { BANNER } from "./lua/typescript.mjs";
import { compile, moduleText } from "./lua/unit.mjs";

const REPOSITORY = path.resolve(import.meta.dirname, "..");
const DEFAULT_FOLDERS = ["packages/holdfast/src", "packages/holdfast/test"].map((folder) =>
  path.join(REPOSITORY, folder),
);

const args = process.argv.slice(2);
const check = args.includes("--check");
const folders = args.filter((arg) => !arg.startsWith("--")).map((folder) => path.resolve(folder));
const errors = [];
let drifted = 0;
let current = 0;
for (const root of folders.length > 0 ? folders : DEFAULT_FOLDERS) for (const change of changesIn(root)) apply(change);

for (const message of errors) console.error(message);
if (check && drifted > 0) console.error("Generated scripts have drifted; run: npm run generate");
console.log(`scripts: ${current} current, ${drifted} ${check ? "drifted" : "changed"}, ${errors.length} in error`);
process.exitCode = errors.length > 0 || (check && drifted > 0) ? 1 : 0;

/** @returns {Generator<{ file: string, text: string | undefined }>} `text` undefined: the wrapper must go */
function* changesIn(root) {
  const files = readdirSync(root, { recursive: true }).map((name) => path.join(root, name));
  const scripts = files.filter((file) => file.endsWith(".lua") && path.basename(path.dirname(file)) === "lua").sort();
  const folders = [...new Set(scripts.map((file) => path.dirname(path.dirname(file))))];
  for (const folder of folders) {
    const units = scripts
      .filter((file) => path.dirname(file) === path.join(folder, "lua"))
      .map((file) => compiled(file, path.relative(root, folder)));
    if (!units.includes(undefined)) yield { file: wrapperOf(folder), text: moduleText(folder, units) };
  }
  const wanted = new Set(folders.map(wrapperOf));
  const orphans = files.filter((file) => file.endsWith(".gen.ts") && !wanted.has(file));
  for (const file of orphans) if (readFileSync(file, "utf8").startsWith(BANNER)) yield { file, text: undefined };
}

/** All mistakes are reported in one run; a folder with one keeps its wrapper, the others are written. */
function compiled(script, owner) {
  try {
    return compile(script, owner);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    errors.push(error.message);
    return undefined;
  }
}

function apply({ file, text }) {
  if (text !== undefined && existsSync(file) && readFileSync(file, "utf8") === text) {
    current += 1;
    return;
  }
  drifted += 1;
  if (check)
    console.error(
      `${path.relative(process.cwd(), file)}: ${text === undefined ? "its scripts are gone" : "differs from its scripts"}`,
    );
  else if (text === undefined) rmSync(file);
  else writeFileSync(file, text);
}

function wrapperOf(folder) {
  return path.join(folder, "scripts.gen.ts");
}
