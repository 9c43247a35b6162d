import { existsSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { slotOf } from "../../src/driver/slot.ts";
import {
  RespClient,
  startCluster,
  startSentinel,
  startStandalone,
  startTls,
  until,
  type ServerProcess,
} from "./servers.ts";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("startStandalone", () => {
  it("starts, answers, and leaves nothing behind", async () => {
    const server = await startStandalone();
    const { pid } = server;
    const [, dir] = (await server.command("CONFIG", "GET", "dir")) as string[];
    expect(await server.command("PING")).toBe("PONG");
    expect(isAlive(pid)).toBe(true);
    await server.stop();
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(dir!)).toBe(false);
  });

  it("kill() and restart() keep the port and, unasked, no data", async () => {
    await using server = await startStandalone();
    await server.command("SET", "key", "value");
    const { pid } = server;
    await server.kill();
    expect(isAlive(pid)).toBe(false);
    await expect(server.command("PING")).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await server.command("GET", "key")).toBeNull();
  });

  it("keeps its data through a kill with persistence", async () => {
    await using server = await startStandalone({ persistence: true });
    await server.command("SET", "key", "value");
    await server.restart();
    expect(await server.command("GET", "key")).toBe("value");
  });

  it("is silent while paused and answers afterwards what was asked", async () => {
    await using server = await startStandalone();
    using client = await server.connect();
    await server.pause();
    using hasty = await RespClient.connect({ port: server.port, timeoutMs: 100 });
    await expect(hasty.command("PING")).rejects.toThrow("no reply");
    const answer = client.command("PING");
    server.resume();
    expect(await answer).toBe("PONG");
  });

  it("is stopped also while paused, and refuses signals afterwards", async () => {
    const server = await startStandalone();
    const { pid } = server;
    await server.pause();
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    await expect(server.pause()).rejects.toThrow("does not run");
  });

  it("reports why it did not start", async () => {
    await expect(startStandalone({ config: { "no-such-directive": "1" } })).rejects.toThrow("no-such-directive");
  });
});

describe("startCluster", () => {
  it("forms, migrates a slot in steps, fails over, and leaves nothing behind", { timeout: 60_000 }, async () => {
    const cluster = await startCluster();
    const pids = cluster.nodes.map((node) => node.pid);
    expect(cluster.primaries).toHaveLength(3);
    expect(cluster.replicas).toHaveLength(3);

    const keys = ["{tag}:1", "{tag}:2"];
    const slot = slotOf(keys[0]!);
    const source = cluster.nodeFor(slot);
    const target = cluster.primaries.find((node) => node !== source)!;
    for (const key of keys) await source.command("SET", key, key);
    await expect(target.command("GET", keys[0]!)).rejects.toThrow(`MOVED ${slot} ${source.address}`);

    const migration = await cluster.startMigration(slot, target);
    await migration.moveKeys([keys[0]!]);
    await expect(source.command("GET", keys[0]!)).rejects.toThrow(`ASK ${slot} ${target.address}`);
    await expect(source.command("MGET", ...keys)).rejects.toThrow("TRYAGAIN");
    await migration.moveKeys();
    await migration.finish();
    await cluster.waitHealthy();
    expect(cluster.nodeFor(slot)).toBe(target);
    expect(await target.command("MGET", ...keys)).toEqual(keys);

    const replica = cluster.replicaOf(target);
    await cluster.failover(replica);
    expect(cluster.nodeFor(slot)).toBe(replica);
    expect(cluster.replicaOf(replica)).toBe(target);

    await replica.kill();
    await cluster.waitHealthy();
    expect(cluster.nodeFor(slot)).toBe(target);
    expect(await target.command("MGET", ...keys)).toEqual(keys);

    await cluster.stop();
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe("startSentinel", () => {
  it("promotes a replica when the primary is gone, and leaves nothing behind", { timeout: 60_000 }, async () => {
    const group = await startSentinel();
    const all = [...group.servers, ...group.sentinels];
    const pids = all.map((server) => server.pid);
    const first = await group.primary();
    expect(await roleOf(first)).toBe("master");
    expect(group.url).toMatch(/^redis-sentinel:\/\/127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\/holdfast$/);

    await first.kill();
    await until("another is primary", async () => (await group.primary()) !== first);
    await group.waitHealthy();
    expect(await roleOf(await group.primary())).toBe("master");

    await first.restart();
    await group.waitHealthy();
    expect(await roleOf(first)).toBe("slave");
    expect(await group.replicas()).toContain(first);

    const asked = await group.failover();
    expect(await roleOf(asked)).toBe("master");

    await group.stop();
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe("startTls", () => {
  it("lets in whom it should", async () => {
    await using server = await startTls();
    const { port, ca, client, users } = server;
    expect(await server.command("ACL", "WHOAMI")).toBe("app");
    expect(new X509Certificate(client.cert).verify(new X509Certificate(ca).publicKey)).toBe(true);
    expect(new URL(server.url).password).toBe(encodeURIComponent(users.app.password));

    using limited = await RespClient.connect({ port, ...users.limited, tls: { ca } });
    expect(await limited.command("SET", "allowed:1", "x")).toBe("OK");
    await expect(limited.command("SET", "other", "x")).rejects.toThrow("NOPERM");
  });

  it("refuses a wrong name, an unknown authority, a wrong password and nobody at all", async () => {
    await using server = await startTls();
    const { port, ca, users } = server;
    const wrongName = RespClient.connect({ port, tls: { ca, servername: "other.example" } });
    await expect(wrongName).rejects.toMatchObject({ cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" } });
    const unknownAuthority = RespClient.connect({ port, tls: {} });
    await expect(unknownAuthority).rejects.toMatchObject({ cause: { code: "SELF_SIGNED_CERT_IN_CHAIN" } });
    const wrongPassword = RespClient.connect({ port, tls: { ca }, ...users.app, password: "wrong" });
    await expect(wrongPassword).rejects.toThrow("WRONGPASS");
    using nobody = await RespClient.connect({ port, tls: { ca } });
    await expect(nobody.command("PING")).rejects.toThrow("NOAUTH");
  });

  it("asks for the client's certificate where it is required", async () => {
    await using server = await startTls({ clientCertificate: "required" });
    expect(await server.command("PING")).toBe("PONG");
    const without = RespClient.connect({ port: server.port, ...server.users.app, tls: { ca: server.ca } });
    await expect(without).rejects.toThrow(/certificate required|ECONNRESET|EPIPE|closed/);
  });
});

async function roleOf(server: ServerProcess): Promise<unknown> {
  return [await server.command("ROLE")].flat()[0];
}
