/** The server as it is built, for programs in processes of their own. */
import { execFile } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

/** A module in that folder then imports it from `./dist/index.js`. */
export async function compileInto(folder: string): Promise<void> {
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const output = ["--outDir", join(folder, "dist"), "--tsBuildInfoFile", join(folder, "tsbuildinfo")];
  await promisify(execFile)(process.execPath, [compiler, "-p", join(PACKAGE, "tsconfig.build.json"), ...output]);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await symlink(join(PACKAGE, "../../node_modules"), join(folder, "node_modules"));
}
