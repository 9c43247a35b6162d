/**
 * Makes of each package what is published: CommonJS with source maps, from the sources. `import` comes in by the wrappers
 * in `esm/`, so a process that uses both has one implementation, with one set of error classes and embedded servers.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";

const ROOT = path.resolve(import.meta.dirname, "..");

/** Dependencies that are ESM only go into the bundle, with their licences: Jest could not load them. */
const PACKAGES = [
  { folder: "embedded", input: { index: "src/index.ts" }, bundled: [] },
  {
    folder: "holdfast",
    input: {
      index: "src/index.ts",
      "queue/outbox/index": "src/queue/outbox/index.ts",
      "adapters/express/index": "src/adapters/express/index.ts",
      "adapters/fastify/index": "src/adapters/fastify/index.ts",
      "adapters/fetch/index": "src/adapters/fetch/index.ts",
      "adapters/hono/index": "src/adapters/hono/index.ts",
      "adapters/live-client/index": "src/adapters/live-client/index.ts",
      "adapters/openfeature/index": "src/adapters/openfeature/index.ts",
      "adapters/pg/index": "src/adapters/pg/index.ts",
      "migrate/index": "src/migrate/index.ts",
      "testing/index": "src/testing/index.ts",
    },
    bundled: ["devalue"],
    browser: { "live-client": "src/adapters/live-client/index.ts" },
  },
];

for (const { folder, input, bundled, browser } of PACKAGES) {
  const cwd = path.join(ROOT, "packages", folder);
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(path.join(cwd, "package.json"), "utf8"));
  const bundle = await rolldown({
    cwd,
    input,
    platform: "node",
    external: Object.keys({ ...dependencies, ...peerDependencies }),
  });
  const dir = path.join(cwd, "dist/cjs");
  await bundle.write({
    dir,
    format: "cjs",
    exports: "named",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
  });
  await bundle.close();
  writeFileSync(path.join(dir, "package.json"), '{ "type": "commonjs" }\n');
  if (browser !== undefined) await bundleForBrowsers(cwd, browser);
  const licences = bundled.map(
    (name) => `${name}\n\n${readFileSync(path.join(ROOT, "node_modules", name, "LICENSE"), "utf8")}`,
  );
  if (licences.length > 0) writeFileSync(path.join(dir, "THIRD-PARTY-LICENSES.txt"), licences.join("\n"));
}

/** As a page loads it, without a bundler. */
async function bundleForBrowsers(cwd, input) {
  const bundle = await rolldown({ cwd, input, platform: "browser" });
  await bundle.write({
    dir: path.join(cwd, "dist/browser"),
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
  });
  await bundle.close();
}
