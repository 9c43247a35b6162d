import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Tests run on the sources, not on what was built last.
  resolve: {
    alias: { "holdfast-embedded": fileURLToPath(new URL("packages/embedded/src/index.ts", import.meta.url)) },
  },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "examples/*/src/**/*.test.ts",
      "scripts/*.test.mjs",
    ],
    globalSetup: ["packages/holdfast/test/support/global-setup.ts"],
    reporters: ["default", "./packages/holdfast/test/support/backend-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
