/** Before a package is packed: the README and the licence stand at the root, and npm wants them in the package. */
import { copyFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
for (const name of ["README.md", "LICENSE"]) copyFileSync(path.join(root, name), path.join(process.cwd(), name));
