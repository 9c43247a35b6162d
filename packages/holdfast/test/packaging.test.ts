/**
 * The packages as they are published, packed and unpacked into an empty project. What could go wrong, and the test for each:
 * - require and import make two libraries, with two sets of classes and servers .. "are one library"
 * - a module system cannot load it at all ........................................ "Jest", "esbuild", "Deno", "Bun"
 * - a compiler finds no types, or those of another module system .................. "TypeScript"
 * - a closed handle keeps its process alive ....................................... "lets its process end"
 * - a stack or a source map points to files that are not there .................... "source maps"
 * - a link of the README leads nowhere on npm ..................................... "README"
 *
 * Longer than other files, since packing and unpacking once serves all of them. It needs what `npm run build` makes, and tools which it asks npm for once; without them a test is skipped and says why.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { backends } from "./support/backends.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const TOOLS = join(ROOT, ".cache/packaging-tools");
const built = existsSync(join(ROOT, "packages/holdfast/dist/cjs/index.js"));

if (!built) process.stderr.write("packaging: skipped, for there is no packages/holdfast/dist/cjs: npm run build\n");

const execute = promisify(execFile);

interface Finished {
  readonly code: number;
  readonly output: string;
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  try {
    const { stdout, stderr } = await execute(command, args, { cwd, env: { ...process.env, ...env }, timeout: 60_000 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout: string; stderr: string };
    return { code: code ?? -1, output: stdout + stderr };
  }
}

/** A file of an npm package, which is installed at the first need; undefined where npm cannot. */
async function tool(name: string, version: string, file: string): Promise<string | undefined> {
  const folder = join(TOOLS, name);
  const path = join(folder, "node_modules", file);
  if (existsSync(folder)) return existsSync(path) ? path : undefined;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true }');
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `${name}@${version}`], folder);
  return existsSync(path) ? path : undefined;
}

function skip(context: TestContext, why: string): never {
  process.stderr.write(`packaging: skipped "${context.task.name}": ${why}\n`);
  return context.skip(why);
}

/** What a first program does, against whatever URL it is given. */
const SMOKE = `
  const hf = await connect(process.env.HF_URL ?? "embedded://", { prefix: "smoke" });
  const users = hf.cache("users", { ttl: "1m" });
  const user = await users.getOrSet("ada", () => ({ name: "Ada" }));
  if (user.name !== "Ada" || (await users.get("ada")).name !== "Ada") throw new Error("the cache has lost it");
  await using held = await hf.lock("job").acquire();
  if (!(held.fence > 0)) throw new Error("no fence");
  const heard = new Promise((resolve) => void hf.channel("news").subscribe(resolve).then(() => hf.channel("news").publish("hello")));
  if ((await heard) !== "hello") throw new Error("not heard");
  const { replies } = await hf.transaction([hf.key("g", "n")], (tx) => tx.queue("SET", hf.key("g", "n"), 7, "PX", 60000));
  if (replies[0] !== "OK" || String(await hf.command("GET", hf.key("g", "n"))) !== "7") throw new Error("not committed");
  await held.release();
  await hf.close();
  console.log("all is well");
`;

/** Compilers and npm on a busy machine. */
const PATIENCE = { timeout: 180_000 };

describe.skipIf(!built)("the published packages", PATIENCE, () => {
  let project: string;

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), "holdfast-packaging-"));
    const modules = join(project, "node_modules");
    for (const [folder, name] of [
      ["holdfast", "holdfast"],
      ["embedded", "holdfast-embedded"],
    ] as const) {
      const { output } = await run(
        "npm",
        ["pack", "--silent", "--pack-destination", project],
        join(ROOT, "packages", folder),
      );
      await mkdir(join(modules, name), { recursive: true });
      await run(
        "tar",
        ["-xzf", join(project, output.trim()), "--strip-components=1", "-C", join(modules, name)],
        project,
      );
    }
    const names = [
      "@redis/client",
      "@msgpack/msgpack",
      "@standard-schema/spec",
      "croner",
      "lru-cache",
      "@types/node",
      "undici-types",
      "cluster-key-slot",
    ];
    for (const name of names) {
      if (!existsSync(join(ROOT, "node_modules", name))) continue;
      await mkdir(dirname(join(modules, name)), { recursive: true });
      await symlink(join(ROOT, "node_modules", name), join(modules, name));
    }
    await writeFile(join(project, "smoke.mjs"), `import { connect } from "holdfast";\n${SMOKE}`);
    const body = SMOKE.replace("await using held", "const held");
    await writeFile(join(project, "smoke.cjs"), `const { connect } = require("holdfast");\n(async () => {${body}})();`);
    await writeFile(join(project, "portable.mjs"), `import { connect } from "holdfast";\n${body}`);
  }, 120_000);

  afterAll(() => rm(project, { recursive: true, force: true }));

  const node = (...args: string[]): Promise<Finished> => run(process.execPath, args, project);

  it("are one library for require and import: classes, names and embedded servers", async () => {
    await writeFile(
      join(project, "both.cjs"),
      `const required = require("holdfast"), testing = require("holdfast/testing"), embedded = require("holdfast-embedded"), migrate = require("holdfast/migrate"), outbox = require("holdfast/outbox"), adapters = ["fetch", "hono", "express", "fastify", "pg"];
      (async () => {
        const pairs = [[required, await import("holdfast")], [testing, await import("holdfast/testing")], [outbox, await import("holdfast/outbox")], [migrate, await import("holdfast/migrate")], [embedded, await import("holdfast-embedded")]];
        for (const name of adapters) pairs.push([require("holdfast/" + name), await import("holdfast/" + name)]);
        for (const [ours, theirs] of pairs) {
          const names = Object.keys(ours);
          if (names.length < 1) throw new Error("no names");
          for (const name of names) if (ours[name] !== theirs[name]) throw new Error("two of " + name);
        }
        const imported = pairs[0][1];
        const a = required.holdfast("embedded://"), b = imported.holdfast("embedded://");
        await a.cache("users").set("ada", 1);
        if ((await b.cache("users").get("ada")) !== 1) throw new Error("two servers");
        try { outbox.sqlOutbox({ table: "" }); throw new Error("not refused"); } catch (error) {
          if (!(error instanceof imported.HoldfastError)) throw new Error("two classes in outbox");
        }
        const error = await b.cache("users").get({}).catch((error) => error);
        if (!(error instanceof required.InvalidArgumentError)) throw new Error("two classes");
        await using server = await testing.createTestServer();
        const c = await server.connect();
        const refused = await c.cache("users").get({}).catch((error) => error);
        if (!(refused instanceof imported.HoldfastError)) throw new Error("two classes in testing");
        await Promise.all([a.close(), b.close()]);
        console.log("one");
      })();`
        .replace("await using server", "const server")
        .replace("await Promise.all([", "await Promise.all([server.close(), "),
    );
    expect(await node("both.cjs")).toEqual({ code: 0, output: "one\n" });
  });

  it.each(["portable.mjs", "smoke.cjs"])("run on Node.js: %s", async (file) => {
    expect(await node(file)).toEqual({ code: 0, output: "all is well\n" });
  });

  it("a handle that is closed lets its process end, connected or not", async () => {
    await writeFile(
      join(project, "ends.cjs"),
      `const { holdfast } = require("holdfast");
      const away = holdfast("redis://127.0.0.1:1"), here = holdfast("embedded://");
      const waiting = away.ping().catch(({ code }) => code);
      (async () => { await here.ping(); await Promise.all([away.close(), here.close()]); console.log(await waiting); })();`,
    );
    expect(await node("ends.cjs")).toEqual({ code: 0, output: "CLOSED\n" });
  });

  it("Jest in CommonJS loads and runs it", async (context) => {
    const jest = await tool("jest", "30", "jest/bin/jest.js");
    if (jest === undefined) return skip(context, "npm could not install jest");
    await writeFile(
      join(project, "holdfast.test.js"),
      `const { connect, HoldfastError } = require("holdfast");
      const { createTestServer } = require("holdfast/testing");
      test("a cache", async () => {
        const server = await createTestServer({ clock: "virtual" });
        const hf = await server.connect();
        await hf.cache("users", { ttl: "5m" }).set("ada", { name: "Ada" });
        await server.clock.advance("10m");
        expect(await hf.cache("users").get("ada")).toBeUndefined();
        await server.close();
        await expect(hf.ping()).rejects.toBeInstanceOf(HoldfastError);
      });
      test("the embedded server", async () => {
        const hf = await connect("embedded://");
        await hf.cache("users").set("ada", 1);
        expect(await hf.cache("users").get("ada")).toBe(1);
        await hf.close();
      });`,
    );
    await writeFile(join(project, "package.json"), '{ "private": true, "jest": { "testEnvironment": "node" } }');
    const { code, output } = await run(process.execPath, [jest, "--runInBand", "--rootDir", project], project);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("2 passed");
  });

  it("esbuild bundles it into ESM, with the line of the recipe, and into CommonJS", async (context) => {
    const esbuild = await tool("esbuild", "0.28", "esbuild/bin/esbuild");
    if (esbuild === undefined) return skip(context, "npm could not install esbuild");
    const banner =
      "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    const ways = [
      ["--format=esm", banner, "--outfile=out.mjs"],
      ["--format=cjs", "--outfile=out.cjs"],
    ];
    for (const way of ways) {
      const input = way[0] === "--format=esm" ? "portable.mjs" : "smoke.cjs";
      const { code, output } = await run(esbuild, [input, "--bundle", "--platform=node", ...way], project);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(await node(way.at(-1)!.replace("--outfile=", ""))).toEqual({ code: 0, output: "all is well\n" });
    }
  });

  const LIBRARY = [
    "--lib",
    "ES2023,ESNext.Disposable",
    "--target",
    "ES2022",
    "--strict",
    "--types",
    "node",
    "--noEmit",
  ];

  it.for<[string, string, string[]]>([
    ["workspace's", "program.cts", ["--module", "node16"]],
    ["workspace's", "program.mts", ["--module", "node16"]],
    ["workspace's", "program.ts", ["--module", "commonjs"]],
    [
      "5.9",
      "program.ts",
      ["--module", "commonjs", "--moduleResolution", "node10", "--esModuleInterop", "--skipLibCheck"],
    ],
  ])("TypeScript (%s) compiles %s with %j", async ([version, file, options], context) => {
    const compiler =
      version === "5.9"
        ? await tool("typescript", "5.9", "typescript/bin/tsc")
        : join(ROOT, "node_modules/typescript/bin/tsc");
    if (compiler === undefined) skip(context, "npm could not install this compiler");
    await writeFile(
      join(project, file),
      `import { connect, holdfast, HoldfastError, type Holdfast } from "holdfast";
      import { sqlOutbox, type SqlClient } from "holdfast/outbox";
      import { cachedQueries, type QuerySource } from "holdfast/pg";
      import { LiveClient } from "holdfast/live-client";
      import { createTestServer } from "holdfast/testing";
      import { httpCache, idempotent, sse, streamResponse } from "holdfast/fetch";
      import { httpCache as honoCache, idempotent as honoOnce, sse as honoSse } from "holdfast/hono";
      import { httpCache as expressCache, idempotent as expressOnce, sse as expressSse } from "holdfast/express";
      import { httpCache as fastifyCache, idempotent as fastifyOnce, sse as fastifySse } from "holdfast/fastify";
      export const live = (hf: Holdfast) => {
        const options = { sources: { prices: hf.channel<number>("prices") } };
        return [sse(hf, options), honoSse(hf, options), expressSse(hf, options), fastifySse(hf, options)];
      };
      export const answer = (hf: Holdfast): Response =>
        streamResponse(new Request("http://a"), hf.stream<string>("answer"), { source: ["a"] });
      export const client = (): LiveClient => new LiveClient("/live", { transport: "auto" });
      export const once = (hf: Holdfast) => [idempotent(hf)(() => new Response("a")), honoOnce(hf), expressOnce(hf), fastifyOnce(hf)];
      export const pages = (hf: Holdfast) => [httpCache(hf)(() => new Response("a")), honoCache(hf), expressCache(hf), fastifyCache(hf)];
      export const flights = (hf: Holdfast, db: QuerySource): Promise<{ id: number }[]> =>
        cachedQueries(hf, db).query<{ id: number }>("SELECT id FROM flights", [], { tags: ["flights"] });
      export const write = (tx: SqlClient, hf: Holdfast): Promise<{ readonly id: string }> =>
        sqlOutbox().add(tx, hf.queue<number>("numbers"), 1);
      export async function main(): Promise<string | undefined> {
        const hf: Holdfast = holdfast("embedded://");
        const name: string | undefined = await hf.cache<string>("users").get("ada");
        const server = await createTestServer();
        const other: Holdfast = await server.connect();
        await Promise.all([other.close(), (await connect("embedded://")).close(), hf.close()]);
        // @ts-expect-error -- a typo in a duration does not compile
        hf.cache("users", { ttl: "5 minutes" });
        return new Error() instanceof HoldfastError ? undefined : name;
      }`,
    );
    const { code, output } = await run(process.execPath, [compiler, ...LIBRARY, ...options, file], project);
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  // The package that `bun` itself would copy its binary from, in an install script that npm may leave out.
  const bun = `@oven/bun-${process.platform}-${process.arch === "arm64" ? "aarch64" : "x64"}`;

  it.for<[string, string, string, string, string[]]>([
    ["Deno", "deno", "2.9.6", "deno/deno", ["run", "-A", "--node-modules-dir=manual"]],
    ["Bun", bun, "1.4.5", `${bun}/bin/bun`, ["run"]],
  ])("%s runs it, on the embedded server and on a real one", async ([, packageName, version, file, args], context) => {
    const binary = await tool(packageName, version, file);
    if (binary === undefined) skip(context, "npm has no binary for this machine");
    const real = backends("standalone").map(({ url }) => url);
    for (const url of ["embedded://", ...real]) {
      const { code, output } = await run(binary, [...args, "portable.mjs"], project, { HF_URL: url });
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toContain("all is well");
    }
  });

  it("source maps hold the sources, and each file has one", async () => {
    for (const name of ["holdfast", "holdfast-embedded"]) {
      const folder = join(project, "node_modules", name, "dist/cjs");
      const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".js"));
      expect(files.length).toBeGreaterThan(0);
      // The bundler's own helpers have no sources.
      for (const file of files.filter((each) => each !== "rolldown-runtime.js")) {
        const map = JSON.parse(readFileSync(join(folder, `${file}.map`), "utf8")) as {
          sources: string[];
          sourcesContent?: string[];
        };
        expect(map.sourcesContent?.filter((text) => typeof text === "string").length).toBe(map.sources.length);
        expect(readFileSync(join(folder, file), "utf8")).toMatch(/\n\/\/# sourceMappingURL=.*\.js\.map\s*$/);
      }
    }
    await writeFile(join(project, "thrown.cjs"), `require("holdfast").holdfast("redis://x", { prefix: "" });`);
    expect((await node("--enable-source-maps", "thrown.cjs")).output).toMatch(/src\/connect\.ts:\d+/);
  });

  it("README's links lead somewhere, also from npm", () => {
    for (const name of ["holdfast", "holdfast-embedded"]) {
      const text = readFileSync(join(project, "node_modules", name, "README.md"), "utf8");
      const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);
      expect(links.filter((link) => !link.startsWith("https://") && !link.startsWith("#"))).toEqual([]);
      const pages = links.filter((link) => link.includes("/blob/main/"));
      for (const link of pages)
        expect(existsSync(join(ROOT, link.replace(/^.*\/blob\/main\//, "").replace(/#.*$/, "")))).toBe(true);
    }
  });

  it("name where they come from", () => {
    for (const name of ["holdfast", "holdfast-embedded"]) {
      const about = JSON.parse(readFileSync(join(project, "node_modules", name, "package.json"), "utf8")) as object;
      const web = expect.stringMatching(/^(git\+)?https:\/\//) as unknown;
      expect(about).toMatchObject({ homepage: web, bugs: { url: web }, repository: { type: "git", url: web } });
    }
  });

  it("hold no test and no source besides the maps", async () => {
    const files = await readdir(join(project, "node_modules/holdfast"), { recursive: true });
    expect(files.filter((file) => /\.test\.|\.tsbuildinfo$|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });
});
