/** Each generated script that is shipped: the server compiles it, and agrees on the digest by which it is called. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { openTransport } from "../../driver/node-redis/open.ts";
import type { Driver, ScriptSource } from "../../driver/port.ts";
import { createDriver } from "../../driver/resilience/driver.ts";

const SRC = path.resolve(import.meta.dirname, "../..");
const forms = await shippedForms();

async function shippedForms(): Promise<ScriptSource[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".gen.ts"));
  const modules = await Promise.all(
    files.map((file) => import(path.join(SRC, file)) as Promise<Record<string, unknown>>),
  );
  const scripts = modules.flatMap((module) => Object.values(module) as (ScriptSource & { merged?: ScriptSource })[]);
  return scripts.flatMap((script) => (script.merged === undefined ? [script] : [script, script.merged]));
}

it.each(forms)("$name calls no function before it is there", ({ lua }) => {
  // A call in front of its definition is one of a global, which no server has.
  const early = [...lua.matchAll(/local function (\w+)\(/g)].filter(([definition, name]) => {
    const first = lua.search(new RegExp(`(?<!function |[.\\w])${name}\\(`));
    return first !== -1 && first < lua.indexOf(definition);
  });
  expect(early.map(([, name]) => name)).toEqual([]);
});

describe.each(backends("standalone", "embedded"))("shipped scripts [$name]", ({ url, options }) => {
  let driver: Driver;
  beforeAll(async () => {
    driver = createDriver(await openTransport({ url, ...options }));
  });
  afterAll(() => driver.close());

  it("have names of their own", () => {
    const names = forms.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(forms)("$name compiles and has its digest", async ({ lua, sha1 }) => {
    const loaded = await driver.send(["SCRIPT", "LOAD", lua], { op: "test.load", class: "idempotent" });
    expect(String(loaded)).toBe(sha1);
  });
});
