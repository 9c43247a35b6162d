/** Makes the programs of the fault suite from the sources, the library's included, so that its processes need no build: faults/dist. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";

const ROOT = path.resolve(import.meta.dirname, "..");
const SOURCES = path.join(ROOT, "faults/src");

const programs = readdirSync(SOURCES, { recursive: true })
  .map((file) => file.replaceAll(path.sep, "/"))
  .filter((file) => file === "main.ts" || file.endsWith(".program.ts"));
const bundle = await rolldown({
  cwd: ROOT,
  input: Object.fromEntries(programs.map((file) => [file.replace(/\.ts$/, ""), path.join(SOURCES, file)])),
  platform: "node",
  // Node 20 has no `using`.
  transform: { target: "node20" },
  resolve: {
    alias: {
      holdfast: path.join(ROOT, "packages/holdfast/src/index.ts"),
      "holdfast-embedded": path.join(ROOT, "packages/embedded/src/index.ts"),
    },
  },
  plugins: [
    {
      name: "external",
      resolveId(id, importer) {
        // It asks whether it is the program itself.
        if (id.endsWith("/ensure-server.mjs")) return { id: path.resolve(path.dirname(importer), id), external: true };
        const isOurs = id.startsWith(".") || path.isAbsolute(id) || /^holdfast(-embedded)?$/.test(id);
        return isOurs ? null : { id, external: true };
      },
    },
  ],
});
await bundle.write({
  dir: path.join(ROOT, "faults/dist"),
  format: "esm",
  sourcemap: true,
  entryFileNames: "[name].js",
  chunkFileNames: "[name].js",
});
await bundle.close();
