// What could go wrong, and the test for each:
// - an import goes up, or sideways ................... "finds an import of ..."
// - a circle is made of types only ................... "finds a circle of types"
// - a circle leaves the core that may have one ....... "finds a circle that leaves its core"
// - a new folder stands on no floor .................. "finds a folder without a floor", "finds a file without a floor ..."
// - an import goes round the floors, by a package ..... "finds an import of another package"
// - the house itself ................................. "finds nothing in this repository"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { violations } from "./check-imports.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HOUSE = {
  folder: "src",
  floors: [["base"], ["core", "wire"], ["*"], ["index.ts"]],
  inside: { base: [["errors.ts"], ["time.ts"]] },
  cores: ["core"],
};

const folders = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** @param files the text of each, by its path */
function check(files, house = HOUSE) {
  const root = mkdtempSync(path.join(tmpdir(), "imports-"));
  folders.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, "src", file)), { recursive: true });
    writeFileSync(path.join(root, "src", file), text);
  }
  return violations(root, [house]);
}

const SOUND = {
  "base/errors.ts": "export class Fault extends Error {}\n",
  "base/time.ts": 'import { Fault } from "./errors.ts";\n',
  "core/a.ts": 'import { type B } from "./b.ts";\n',
  "core/b.ts": 'import type { A } from "./a.ts";\nimport "../base/time.ts";\n',
  "wire/wire.ts": 'export * from "../base/time.ts";\n',
  "locks/locks.ts": 'import { a } from "../core/a.ts";\n// import { x } from "../index.ts";\n',
  "locks/locks.test.ts": 'import { everything } from "../index.ts";\n',
  "index.ts": 'export { lock } from "./locks/locks.ts";\n',
};

describe("the check of imports", () => {
  it("finds nothing in this repository", () => {
    expect(violations(ROOT)).toEqual([]);
  });

  it("finds nothing where imports point down", () => {
    expect(check(SOUND)).toEqual([]);
  });

  it.each([
    ["a floor above", "core/a.ts", 'import type { Lock } from "../locks/locks.ts";', "it is on a floor above"],
    ["another primitive", "geo/geo.ts", 'import { lock } from "../locks/locks.ts";', "they are on one floor"],
    ["a neighbour", "core/c.ts", 'import { wire } from "../wire/wire.ts";', "they are on one floor"],
    ["a floor above in a folder", "base/errors.ts", 'import { now } from "./time.ts";', "it is on a floor above"],
    ["a type in place", "core/c.ts", 'export type L = import("../index.ts").L;', "it is on a floor above"],
    ["several lines", "core/c.ts", 'import {\n  lock,\n} from "../locks/locks.ts";', "it is on a floor above"],
  ])("finds an import of %s", (_name, file, text, problem) => {
    expect(check({ ...SOUND, [file]: text })).toContainEqual(
      expect.stringMatching(`^src: ${file} imports .*${problem}$`),
    );
  });

  it("finds a circle of types", () => {
    const found = check({
      ...SOUND,
      "geo/a.ts": 'import type { B } from "./b.ts";\n',
      "geo/b.ts": 'import { type C } from "./c.ts";\n',
      "geo/c.ts": 'import type { A } from "./a.ts";\n',
    });
    expect(found).toEqual(["src: a circle of 3: geo/a.ts, geo/b.ts, geo/c.ts"]);
  });

  it("finds a circle that leaves its core", () => {
    const found = check({ ...SOUND, "base/time.ts": 'import type { A } from "../core/a.ts";\n' });
    expect(found).toEqual([
      "src: base/time.ts imports core/a.ts: it is on a floor above",
      "src: a circle of 3: base/time.ts, core/a.ts, core/b.ts",
    ]);
  });

  it("finds a folder without a floor", () => {
    const house = { ...HOUSE, floors: [["base"], ["core", "wire"], ["index.ts"]] };
    expect(check(SOUND, house)).toContain("src: locks/locks.ts is on no floor");
  });

  it("finds a file without a floor, though it imports nothing and nothing imports it", () => {
    const files = { ...SOUND, "loose.ts": "export {};\n", "base/loose.ts": "export {};\n" };
    expect(check(files)).toEqual(["src: loose.ts is on no floor", "src: base/loose.ts is on no floor"]);
  });

  it.each(["ours", "../../other/src/index.ts"])("finds an import of another package: %s", (target) => {
    const files = {
      ...SOUND,
      "core/c.ts": `import { x } from "${target}";\n`,
      "wire/c.ts": `import { x } from "${target}";\n`,
    };
    const found = check(files, { ...HOUSE, packages: { ours: ["wire"], "..": ["wire"] } });
    expect(found).toEqual([expect.stringMatching(/^src: core\/c.ts imports .*: it is another package$/)]);
  });
});
