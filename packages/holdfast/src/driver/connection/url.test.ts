import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../base/errors.ts";
import { nodeRedis } from "../node-redis/client.ts";
import { resolveOptions } from "./options.ts";
import { addressName, parseUrl } from "./url.ts";

describe("connection URLs", () => {
  it.each([
    ["redis://host", { mode: "standalone", tls: false, addresses: ["host:6379"] }],
    ["rediss://host:1234/2", { mode: "standalone", tls: true, addresses: ["host:1234"], database: 2 }],
    ["valkey://[::1]:7000", { mode: "standalone", tls: false, addresses: ["[::1]:7000"] }],
    ["valkeys://h", { mode: "standalone", tls: true, addresses: ["h:6379"] }],
    ["redis://h?tls=true&db=3", { mode: "standalone", tls: true, addresses: ["h:6379"], database: 3 }],
    ["REDIS://h/", { mode: "standalone", tls: false, addresses: ["h:6379"] }],
    [
      "redis-sentinel://a:1,b,c/main",
      { mode: "sentinel", tls: false, addresses: ["a:1", "b:26379", "c:26379"], masterName: "main" },
    ],
    [
      "rediss-sentinel://a/main/4",
      { mode: "sentinel", tls: true, addresses: ["a:26379"], masterName: "main", database: 4 },
    ],
    ["redis-cluster://a,b:2", { mode: "cluster", tls: false, addresses: ["a:6379", "b:2"] }],
    ["valkeys-cluster://a", { mode: "cluster", tls: true, addresses: ["a:6379"] }],
    ["unix:///run/redis.sock?db=1", { mode: "standalone", tls: false, addresses: ["/run/redis.sock"], database: 1 }],
  ])("reads %s", (url, expected) => {
    const { addresses, ...rest } = parseUrl(url);
    expect({ ...rest, addresses: addresses.map(addressName) }).toEqual(expected);
  });

  it("decodes user and password", () => {
    expect(parseUrl("redis://us%40er:p%3Aa%2Fs%23s:w@h")).toMatchObject({ username: "us@er", password: "p:a/s#s:w" });
    expect(parseUrl("redis://:only@h")).toMatchObject({ password: "only" });
    expect(parseUrl("redis://:only@h")).not.toHaveProperty("username");
  });

  it.each([
    "",
    "host:6379",
    "http://u:s3cret@h",
    "redis://u:s3cret@",
    "redis://u:s3cret@h:0",
    "redis://u:s3cret@h:70000",
    "redis://u:s3cret@h/zero",
    "redis://u:s3cret@h/1/2",
    "redis://u:s3cret@h?timeout=1",
    "redis://u:s3cret@h?tls=maybe",
    "redis://u:s3cret@a,b",
    "redis://u:s3cret%@h",
    "redis://u:s3cret/part@h",
    "redis://u:s3cret#part@h",
    "redis://u:s3cret@part@h",
    "redis-sentinel://u:s3cret@a,b",
    "redis-cluster://u:s3cret@a,,b",
    "redis-cluster://u:s3cret@a/1/2",
    "unix://host/path",
  ])("refuses %s without showing the password", (url) => {
    let refusal: unknown;
    try {
      resolveOptions({ url }, nodeRedis);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(InvalidArgumentError);
    expect(String(refusal)).not.toMatch(/s3cret|part/);
  });
});

describe("connection options", () => {
  it("defaults everything", () => {
    expect(resolveOptions({}, nodeRedis)).toMatchObject({
      mode: "standalone",
      addresses: [{ host: "127.0.0.1", port: 6379 }],
      database: 0,
      tls: undefined,
      credentials: undefined,
      connectTimeoutMs: 5_000,
      maxLeases: 16,
    });
  });

  it("prefers options to the URL, and a provider to both", () => {
    const fixed = resolveOptions({ url: "redis://a:b@h/1", password: "c", database: 2 }, nodeRedis);
    expect(fixed.credentials?.()).toEqual({ username: "a", password: "c" });
    expect(fixed.database).toBe(2);
    const provider = resolveOptions({ url: "redis://a:b@h", credentials: () => ({ password: "d" }) }, nodeRedis);
    expect(provider.credentials?.()).toEqual({ password: "d" });
  });

  it("maps announced addresses", () => {
    const { reach } = resolveOptions({ addressMap: { "10.0.0.1:6379": "localhost:7001" } }, nodeRedis);
    expect(reach("10.0.0.1", 6379)).toEqual({ host: "localhost", port: 7001 });
    expect(reach("10.0.0.2", 6379)).toEqual({ host: "10.0.0.2", port: 6379 });
  });

  it.each([
    { username: "" },
    { username: "default" },
    { url: "redis://default:@host" },
    { url: "redis://default@host" },
    { url: "redis://:@host" },
  ])("has no credentials to send for %j", (options) => {
    expect(resolveOptions(options, nodeRedis).credentials).toBeUndefined();
  });

  it("takes an empty user name for none", () => {
    const { credentials } = resolveOptions({ username: "", password: "p" }, nodeRedis);
    expect(credentials?.()).toEqual({ username: undefined, password: "p" });
  });

  it.each([
    ["database", { database: 1.5 }],
    ["tls", { url: "rediss://a", tls: false }],
    ["tls", { tls: { cert: "only" } }],
    ["clientName", { clientName: "two words" }],
    ["connectTimeout", { connectTimeout: -1 }],
    ["maxLeases", { maxLeases: 0 }],
    ["password", { username: "alone" }],
    ["addressMap", { addressMap: { "a b": "c" } }],
  ])("refuses a bad %s", (field, options) => {
    expect(() => resolveOptions(options, nodeRedis)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", field }),
    );
  });
});
