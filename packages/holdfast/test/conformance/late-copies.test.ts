/**
 * A request that the network held back arrives long after it was repeated.
 *
 * What could go wrong, and the test for it:
 * - it undoes what was written since ................... "never undoes what was answered since"
 * - the same on a connection of one's own .............. "... nor does one of a lease that was given up"
 * - the test would pass without a fence ................ "does so where the user may not close connections, and caps says it"
 * - the documented user lacks a right .................. "is fenced off for the documented user"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Backend, backends } from "../support/backends.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../support/servers.ts";
import { call, failureOf, openDriver, type OpenDriver, type OpenOptions, send, slotPrefix } from "./support.ts";

/** A hundred connections, in four rounds; fewer where each of them needs several. */
const driversOn = ({ name }: Backend): number => (name === "standalone" ? 25 : 10);
const ROUNDS = 4;
/** Many connections at once take their time on a busy machine. */
const PATIENT: OpenOptions = { connectTimeout: "1m", pingTimeout: "1m", resilience: { timeout: "1m" } };

/** A proxy before each primary, and what a driver needs to come through them. */
async function behindProxies({ name, url, options }: Backend): Promise<{ proxies: Proxy[]; through: OpenOptions }> {
  await using direct = await openDriver({ ...PATIENT, url, ...options });
  const nodes = direct.nodes().map(({ id }) => id);
  const proxies = await Promise.all(nodes.map((id) => startProxy({ port: Number(id.split(":")[1]) })));
  const hosts = proxies.map(({ port }) => `127.0.0.1:${port}`);
  const addressMap = Object.fromEntries(nodes.map((id, at) => [id, hosts[at]!]));
  if (name === "cluster")
    return { proxies, through: { ...PATIENT, url: `redis-cluster://${hosts.join(",")}`, addressMap } };
  if (name === "sentinel") return { proxies, through: { ...PATIENT, url, addressMap } };
  return { proxies, through: { ...PATIENT, ...options, url: url.replace(/:\d+$/, `:${proxies[0]!.port}`) } };
}

async function openMany(options: OpenOptions, count: number): Promise<OpenDriver[]> {
  const drivers: OpenDriver[] = [];
  while (drivers.length < count) drivers.push(await openDriver(options));
  return drivers;
}

/** Resolves when the request came to any of the proxies. */
function saw(proxies: readonly Proxy[], sought: string): Promise<void> {
  return Promise.any(proxies.map((proxy) => proxy.sawRequest(sought)));
}

/** Each driver writes `old`, which is held back and repeated, then `new`; then `old` arrives. What is there at last? */
async function raceOf(drivers: readonly OpenDriver[], proxies: readonly Proxy[]): Promise<string[]> {
  const keys = drivers.map(() => `${slotPrefix()}late`);
  const write = (value: string): Promise<unknown[]> =>
    Promise.all(drivers.map((driver, at) => send(driver, ["SET", keys[at]!, value, "PX", "60000"], "idempotent")));
  const stranded = proxies.map((proxy) => proxy.strand());
  const sent = Promise.all(keys.map((key) => saw(proxies, key)));
  const old = write("old");
  await sent;
  for (const each of stranded) each.cut();
  expect(await old).toEqual(keys.map(() => "OK"));
  expect(await write("new")).toEqual(keys.map(() => "OK"));
  await Promise.all(stranded.map((each) => each.deliver()));
  return Promise.all(drivers.map(async (driver, at) => String(await send(driver, ["GET", keys[at]!]))));
}

describe.each(backends("standalone", "cluster", "sentinel"))("a late copy [$name]", (backend) => {
  let proxies: Proxy[];
  let through: OpenOptions;
  beforeAll(async () => {
    ({ proxies, through } = await behindProxies(backend));
  });
  afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())));

  it("never undoes what was answered since", async () => {
    const drivers = await openMany(through, driversOn(backend));
    expect(new Set(drivers.map(({ caps }) => caps.fencing))).toEqual(new Set(["connection"]));
    const found: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) found.push(...(await raceOf(drivers, proxies)));
    expect(found).toEqual(Array.from({ length: drivers.length * ROUNDS }, () => "new"));
    await Promise.all(drivers.map((driver) => driver.close()));
  }, 60_000);

  it("... nor does one of a lease that was given up", async () => {
    await using driver = await openDriver(through);
    const key = `${slotPrefix()}late`;
    const lease = await driver.lease(key, call());
    const stranded = proxies.map((proxy) => proxy.strand());
    const sent = saw(proxies, key);
    const late = failureOf(lease.send(["SET", key, "old", "PX", "60000"], call("idempotent", { timeoutMs: 1_500 })));
    await sent;
    expect(await late).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    // The shared connection is stranded too: what comes next needs a new one.
    for (const each of stranded) each.cut();
    expect(await send(driver, ["SET", key, "new", "PX", "60000"], "idempotent")).toBe("OK");
    await Promise.all(stranded.map((each) => each.deliver()));
    expect(await send(driver, ["GET", key])).toEqual(Buffer.from("new"));
  });
});

describe("a late copy [standalone]", () => {
  const PASSWORD = "late-copies";
  let server: Standalone;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    await server.command("ACL", "SETUSER", "powerless", "on", `>${PASSWORD}`, "~*", "&*", "+@all", "-client|kill");
    const documented = ["~hf:*", "&hf:*", "+@all", "-@admin", "-@dangerous", "+client|kill"];
    await server.command("ACL", "SETUSER", "documented", "on", `>${PASSWORD}`, ...documented);
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it("does so where the user may not close connections, and caps says it", async () => {
    const drivers = await openMany({ ...PATIENT, url: proxy.url, username: "powerless", password: PASSWORD }, 5);
    expect(drivers.map(({ caps }) => caps.fencing)).toEqual(drivers.map(() => "none"));
    expect(await raceOf(drivers, [proxy])).toEqual(drivers.map(() => "old"));
    await Promise.all(drivers.map((driver) => driver.close()));
  });

  it("is fenced off for the documented user", async () => {
    await using driver = await openDriver({ url: proxy.url, username: "documented", password: PASSWORD });
    expect(driver.caps.fencing).toBe("connection");
  });

  it("does not keep a server that is busy with a script from being used afterwards", async () => {
    await server.command("CONFIG", "SET", "busy-reply-threshold", "1");
    await using driver = await openDriver({ url: proxy.url });
    const key = `${slotPrefix()}late`;
    const stranded = proxy.strand();
    const sent = saw([proxy], key);
    const written = send(driver, ["SET", key, "old", "PX", "60000"], "idempotent");
    await sent;
    using scripting = await server.connect();
    const endless = scripting.command("EVAL", "while true do end", 0).catch((error: unknown) => error);
    using killer = await server.connect();
    stranded.cut();
    await proxy.sawReply("-BUSY");
    await killer.command("SCRIPT", "KILL");
    await endless;
    expect(await written).toBe("OK");
    await stranded.deliver();
  });
});
