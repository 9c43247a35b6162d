import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const source = (file: string): string => fileURLToPath(new URL(`packages/${file}`, import.meta.url));

/** Files that take long begin first: one that began last would keep the run open, with the other workers at rest. */
const LONG =
  /(page|flightboard|faults\/src\/main|packaging|given|kill|memory|lifecycle|stampede|sandbox|pglite|scenarios|outbox|faults-cluster|faults-sentinel|simulation)\.test\.ts$/;

const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  // Tests run on the sources, not on what was built last.
  resolve: {
    alias: [
      { find: /^holdfast$/, replacement: source("holdfast/src/index.ts") },
      { find: /^holdfast\/outbox$/, replacement: source("holdfast/src/queue/outbox/index.ts") },
      {
        find: /^holdfast\/(express|fastify|fetch|hono|live-client|openfeature|pg)$/,
        replacement: source("holdfast/src/adapters/$1/index.ts"),
      },
      { find: /^holdfast\/testing$/, replacement: source("holdfast/src/testing/index.ts") },
      { find: /^holdfast\/migrate$/, replacement: source("holdfast/src/migrate/index.ts") },
      { find: /^holdfast-embedded$/, replacement: source("embedded/src/index.ts") },
    ],
  },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "examples/*/src/**/*.test.ts",
      "examples/cookbook/*/*.test.ts",
      "faults/src/**/*.test.ts",
      "scripts/*.test.mjs",
    ],
    globalSetup: ["packages/holdfast/test/support/global-setup.ts"],
    reporters: ["default", "./packages/holdfast/test/support/backend-reporter.ts"],
    // They end what hangs; no test is to fail because the machine has much else to do.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    pool: "threads",
    // A worker keeps the library's modules from file to file: loading them for each was a quarter of a run's CPU time.
    isolate: false,
    // One more than cores: half of a run is waiting, for leases that end and servers that come back.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
