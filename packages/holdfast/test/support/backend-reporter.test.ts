import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runVitest } from "./nested-vitest.ts";

const REPORTER = fileURLToPath(new URL("./backend-reporter.ts", import.meta.url));

it("counts tests by their backend, and what fails without being a test", async () => {
  const files = {
    "counts.test.ts": `
      describe.each([{ name: "cluster" }, { name: "tls" }])("cache [$name]", ({ name }) => {
        it("one", () => expect(name).toBe("cluster"));
        it.skip("two", () => {});
      });
      it("[embedded] three", () => {});
      it("four", () => {});
    `,
    "broken.test.ts": `throw new Error("does not load");`,
  };
  using run = runVitest(files, "--reporter", REPORTER);
  const lines = (await text(run.child.stdout!)).trimEnd().split("\n");
  expect(lines).toEqual([
    "standalone  0 passed, 0 failed, 0 skipped",
    "cluster     1 passed, 0 failed, 1 skipped",
    "sentinel    0 passed, 0 failed, 0 skipped",
    "tls         0 passed, 1 failed, 1 skipped",
    "embedded    1 passed, 0 failed, 0 skipped",
    "none        1 passed, 1 failed, 0 skipped",
    "",
    "3 passed, 2 failed, 2 skipped",
  ]);
});
