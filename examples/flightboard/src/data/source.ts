/** Where the `vega-datasets` package keeps its files. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PACKAGE_ROOT = dirname(dirname(createRequire(import.meta.url).resolve("vega-datasets")));

export function dataFile(name: string): string {
  return join(PACKAGE_ROOT, "data", name);
}
