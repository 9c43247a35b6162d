/**
 * Clients of another copy of node-redis, whose classes are not ours. What could go wrong, and the test for each:
 * - an answer of the server's becomes a lost connection .................. "knows the server's answers"
 * - a map comes as an object, and a cluster counts as none ............. "reads a map"
 * - a script that the server has lost is not sent again .................. "sends a script again"
 * - a command that was never written counts as lost, or the reverse ...... "knows what was never written"
 * - a cluster's client is refused, or taken for one of a single server ... each of them, on a cluster
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { compileFunction, createContext } from "node:vm";
import * as ours from "@redis/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Driver } from "../../src/driver/port.ts";
import { createBorrowedTransport } from "../../src/driver/node-redis/borrowed.ts";
import { createDriver } from "../../src/driver/resilience/driver.ts";
import { backends } from "../support/backends.ts";
import { call, failureOf, script, send, slotPrefix } from "./support.ts";

/** What a client is to this test: its own types, for all commands of all modules, take the compiler minutes to compare. */
interface Client {
  readonly isOpen: boolean;
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
}

interface Package {
  createClient(options: { readonly url: string }): Client;
  createCluster(options: { readonly rootNodes: readonly { readonly url: string }[] }): Client;
  readonly ErrorReply: unknown;
}

const { resolve } = createRequire(import.meta.url);
const installed = path.resolve(path.dirname(resolve("@redis/client")), "..");
const folder = mkdtempSync(path.join(tmpdir(), "holdfast-copy-"));

/** Installed a second time, under another path. */
function secondCopy(): Package {
  const at = path.join(folder, "node_modules/@redis/client");
  cpSync(installed, at, { recursive: true });
  return createRequire(path.join(folder, "program.js"))("@redis/client") as Package;
}

/** Read in a context of its own, as Jest does it: there Error, Promise, Map and Array are others too. */
function ofAnotherRealm(): Package {
  const { AbortController, AbortSignal, clearImmediate, clearTimeout, process, setImmediate, setTimeout, URL } =
    globalThis;
  const given = {
    AbortController,
    AbortSignal,
    Buffer,
    clearImmediate,
    clearTimeout,
    process,
    setImmediate,
    setTimeout,
    URL,
  };
  const parsingContext = createContext({ ...given, clearInterval, setInterval, performance, console });
  const loaded = new Map<string, { exports: unknown }>();
  const load = (filename: string): unknown => {
    const known = loaded.get(filename);
    if (known !== undefined) return known.exports;
    const module = { exports: {} as unknown };
    loaded.set(filename, module);
    const text = readFileSync(filename, "utf8");
    if (filename.endsWith(".json")) return (module.exports = JSON.parse(text));
    const require = createRequire(filename);
    const within = (name: string): unknown => (isBuiltin(name) ? require(name) : load(require.resolve(name)));
    const names = ["exports", "require", "module", "__filename", "__dirname"];
    const run = compileFunction(text, names, { filename, parsingContext });
    run(module.exports, within, module, filename, path.dirname(filename));
    return module.exports;
  };
  return load(resolve("@redis/client")) as Package;
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ["a second copy of node-redis", secondCopy],
  ["node-redis of another realm", ofAnotherRealm],
])("a client of %s", (_name, load) => {
  describe.each(backends("standalone", "cluster"))("[$name]", ({ name, url }) => {
    let client: Client;
    let driver: Driver;
    let theirs: Package;
    beforeAll(async () => {
      theirs = load();
      const hosts = url.replace("redis-cluster://", "").split(",");
      const rootNodes = hosts.map((host) => ({ url: `redis://${host}` }));
      client = name === "cluster" ? theirs.createCluster({ rootNodes }) : theirs.createClient({ url });
      client.on("error", () => undefined);
      await client.connect();
      driver = createDriver(await createBorrowedTransport(client as never));
    });
    afterAll(async () => {
      await driver.close();
      if (client.isOpen) client.destroy();
    });

    it("knows the server's answers from a lost connection", async () => {
      const key = slotPrefix();
      expect(theirs.ErrorReply).not.toBe(ours.ErrorReply);
      expect(driver.caps.cluster).toBe(name === "cluster");
      expect(await send(driver, ["SET", key, Buffer.from([0, 255]), "PX", "60000"], "idempotent")).toBe("OK");
      expect(await send(driver, ["GET", key])).toEqual(Buffer.from([0, 255]));
      expect(await failureOf(send(driver, ["LPUSH", key, "x"], "unsafe"))).toMatchObject({ code: "WRONG_TYPE" });
      expect(await failureOf(send(driver, ["INCR", key], "unsafe"))).toMatchObject({
        code: "SERVER",
        retryable: false,
      });
    });

    it("reads a map as from its own connections", async () => {
      const key = slotPrefix();
      await send(driver, ["HSET", key, "field", "value"], "unsafe");
      expect(await send(driver, ["HGETALL", key])).toEqual([Buffer.from("field"), Buffer.from("value")]);
    });

    it("sends a script again that the server has lost", async () => {
      const key = slotPrefix();
      const source = script(`return redis.call('EXISTS', KEYS[1]) -- ${key}`);
      expect(await driver.script(source, [key], [], call())).toBe(0);
      await send(driver, ["SCRIPT", "FLUSH"], "idempotent");
      for (const { id } of driver.nodes()) await driver.send(["SCRIPT", "FLUSH"], call(), { node: id });
      expect(await driver.script(source, [key], [], call())).toBe(0);
    });

    it("lends connections beside it", async () => {
      const key = slotPrefix();
      const lease = await driver.lease(key, call());
      expect(await lease.send(["WATCH", key], call("unsafe"))).toBe("OK");
      lease.release();
    });

    it("knows what was never written", async () => {
      client.destroy();
      const failure = await failureOf(send(driver, ["INCR", slotPrefix()], "unsafe", { timeoutMs: 100 }));
      expect(failure).toMatchObject({ code: "UNAVAILABLE" });
      expect(failure.message).toContain("not connected");
    });
  });
});
