/** Before a package is packed: files which stand at the root and which npm wants in the package, named as arguments. */
import { copyFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
for (const name of process.argv.slice(2)) copyFileSync(path.join(root, name), path.join(process.cwd(), name));
