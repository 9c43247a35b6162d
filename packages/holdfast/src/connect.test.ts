/**
 * Bad input is refused before anything is opened; what is opened is what was asked for. What could go wrong:
 * - a bad option costs a connection, or is found out by the first call ... "refuses a bad"
 * - a name that is not known is ignored ................................... "refuses a bad"
 * - the environment's URL drops the options, or an empty one is taken ..... "without a URL"
 * - an empty user name or password drops the URL's ....................... "an empty user name"
 * - production runs on a server of its own per process ..................... "in production"
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../test/support/servers.ts";
import { connect, type ConnectOptions } from "./connect.ts";
import { InvalidArgumentError } from "./base/errors.ts";

describe("connect [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it.each<[string, object]>([
    ["timout", { timout: 5 }],
    ["prefix", { prefix: "a b" }],
    ["prefix", { prefix: "" }],
    ["prefix", { prefix: 7 }],
    ["timeout", { timeout: 0 }],
    ["timeout", { timeout: "60d" }],
    ["maxWaiting", { maxWaiting: -1 }],
    ["closeTimeout", { closeTimeout: "60d" }],
    ["connectTimeout", { connectTimeout: "60d" }],
    ["serializer", { serializer: "xml" }],
    ["encrypt", { encrypt: { key: "short" } }],
    ["compress", { compress: { threshold: -1 } }],
  ])("refuses a bad %s before it connects: %j", async (field, bad) => {
    const failure = await connect(proxy.url, bad as ConnectOptions).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidArgumentError);
    expect((failure as InvalidArgumentError).field).toContain(field);
    expect(proxy.connections).toBe(0);
  });

  it.each(["HOLDFAST_URL", "REDIS_URL"])("without a URL takes the one of %s, with the options given", async (name) => {
    vi.stubEnv("HOLDFAST_URL", undefined);
    vi.stubEnv("REDIS_URL", undefined);
    // What is set to nothing says nothing.
    vi.stubEnv("HOLDFAST_URL", "");
    vi.stubEnv(name, server.url);
    await using plain = await connect();
    await using named = await connect(undefined, { prefix: "mine" });
    await using object = await connect({ prefix: "mine" });
    expect([plain, named, object].map((hf) => hf.key("g", "x"))).toEqual([
      "hf:key:{g}:of:x",
      "mine:key:{g}:of:x",
      "mine:key:{g}:of:x",
    ]);
  });

  it("an empty user name and an empty password leave the URL's", async () => {
    await server.command("ACL", "SETUSER", "app", "on", ">right", "~*", "&*", "+@all");
    const url = server.url.replace("redis://", "redis://app:right@");
    await using hf = await connect(url, { username: "", password: "" });
    expect(String(await hf.driver.send(["ACL", "WHOAMI"], { op: "test", class: "read" }))).toBe("app");
    await using plain = await connect(server.url, { username: "", password: "" });
    expect(String(await plain.driver.send(["ACL", "WHOAMI"], { op: "test", class: "read" }))).toBe("default");
  });

  it("in production refuses to guess, and says where it looked for a URL", async () => {
    vi.stubEnv("NODE_ENV", "production");
    vi.stubEnv("HOLDFAST_URL", undefined);
    vi.stubEnv("REDIS_URL", undefined);
    await expect(connect()).rejects.toThrow(/^connect: url: .*HOLDFAST_URL or REDIS_URL/);
  });
});
