/**
 * An election has several keys, and a server with an eviction policy may drop any of them; so may a hand that means well.
 * What could go wrong, and the test for each:
 * - `leader` is gone: another leads while this one still believes .... "never two leaders, whichever key is gone"
 * - or nobody leads any more ....................................... the same
 * - `term` is gone: a term does not rise, a renewal fails ............ "without its last term"
 * - `queue` or `candidates` is gone: a candidate waits for ever ....... "never two leaders, whichever key is gone"
 * - memory is full: a leader is lost, or cannot resign ............... "memory is full"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";

const KEYS = ["", ":term", ":queue", ":candidates"] as const;
const SLOW = { timeout: 120_000 };

describe.each(backends("standalone", "embedded"))("an election of which a key was evicted [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const evict = (name: string, key: (typeof KEYS)[number]): Promise<unknown> =>
    handles.send("DEL", `${handles.prefix}:election:{${name}}${key}`);

  it("never two leaders, whichever key is gone, and the candidate comes in", SLOW, async () => {
    const { a, b } = handles;
    const inTurn = KEYS.map(async (key) => {
      const name = randomName();
      const first = await a.election(name, { id: "a", ttl: 2_000 }).campaign();
      const waiting = b.election(name, { id: "b", ttl: 2_000 }).campaign();
      await until("the candidate", async () => (await a.election(name).candidates()).length === 1);
      await evict(name, key);
      if (key !== "") await first.resign();
      const next = await waiting;
      expect({ key, held: first.held }).toEqual({ key, held: false });
      expect(next.term).toBeGreaterThan(first.term);
      expect(await next.resign()).toEqual({ status: "ok", next: undefined });
    });
    await Promise.all(inTurn);
  });

  it("without its last term: leads on, resigns, and the next term is higher", async () => {
    const { a, b } = handles;
    const name = randomName();
    const first = await a.election(name, { ttl: 600 }).campaign();
    await evict(name, ":term");
    const since = performance.now();
    await until("a renewal", () => performance.now() - since > 700 && first.held);
    expect(await handles.send("EXISTS", `${handles.prefix}:election:{${name}}:term`)).toBe(1);
    await first.resign();
    await evict(name, ":term");
    const next = await b.election(name).campaign();
    expect(next.term).toBeGreaterThan(first.term);
    await next.resign();
  });
});

describe("elections while memory is full", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server?.stop());

  it("memory is full: a leader leads on and resigns, and nobody new comes in", SLOW, async () => {
    await using hf = await connect(server.url, { timeout: "10s" });
    const leadership = await hf.election("e", { ttl: 900 }).campaign();
    await server.command("CONFIG", "SET", "maxmemory", "1");
    const since = performance.now();
    await until("renewals", () => performance.now() - since > 1_500);
    expect(leadership.held).toBe(true);
    expect(await leadership.resign()).toEqual({ status: "ok", next: undefined });
    await expect(hf.election("e").campaign({ wait: 0 })).rejects.toMatchObject({ code: "SERVER_FULL" });
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await using next = await hf.election("e").campaign();
    expect(next.term).toBeGreaterThan(leadership.term);
  });
});
