/**
 * What could go wrong, and the test that watches it:
 * - an outage makes consume reject, or hang ........................ "while the server is stopped ..."
 * - the answer hides that nobody counted ........................... same: `source`, `cause`
 * - a lost answer makes a call count twice ......................... "a call whose answer was lost ..."
 * - a full server lets everything through as if it were counted .... "a server without memory ..."
 * - a mistake of the program looks like an outage .................. "a closed handle ..."
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import { ClosedError, HoldfastError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { exact, gcra, sliding } from "./scripts.gen.ts";
import type { LimiterOptions } from "./options.ts";

const SLOW: LimiterOptions = { limit: 10, window: "30d" };

describe("limits under faults", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    [hf, direct] = await Promise.all([connect(proxy.url, { prefix }), connect(server.url, { prefix })]);
    for (const { lua } of [gcra, sliding, exact]) await server.command("SCRIPT", "LOAD", lua);
  });

  afterEach(async () => {
    server.resume();
    await proxy.heal();
    await server.command("CONFIG", "SET", "maxmemory", "0");
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  it.each(["allow", "deny"] as const)("while the server is stopped the policy answers: %s", async (onOutage) => {
    const limiter = hf.limiter(randomUUID(), { ...SLOW, onOutage, timeout: 100 });
    await server.pause();
    const decisions = await Promise.all([limiter.consume("ada"), limiter.consume("bob"), limiter.peek("ada")]);
    for (const decision of decisions) {
      expect(decision).toMatchObject({ allowed: onOutage === "allow", source: "policy", limit: 10, remaining: 0 });
      expect(decision.cause).toBeInstanceOf(HoldfastError);
      expect(decision.retryAfterMs > 0).toBe(onOutage === "deny");
    }
  });

  it("while no connection can be made the policy answers, and the server again when it is back", async () => {
    const limiter = hf.limiter(randomUUID(), { ...SLOW, timeout: 100 });
    proxy.refuse();
    proxy.cut();
    const away = await limiter.consume("ada");
    expect(away).toMatchObject({ allowed: true, source: "policy" });
    const up = new Promise<void>((resolve) => hf.onState(({ state }) => state === "up" && resolve()));
    await proxy.heal();
    await up;
    const patient = hf.limiter(limiter.name, { ...SLOW, timeout: "10s" });
    expect(await patient.consume("ada")).toMatchObject({ source: "server" });
  });

  it.each([
    ["gcra", gcra],
    ["sliding", sliding],
    ["exact", exact],
  ] as const)(
    "%s: a call whose answer was lost is counted once, and its decision says so",
    async (algorithm, script) => {
      const name = randomUUID();
      const options: LimiterOptions = { ...SLOW, algorithm, timeout: "10s" };
      const limiter = hf.limiter(name, options);
      const lost = losingAnswer(proxy, script, () => limiter.consume("ada", { cost: 4 }));
      expect(await lost).toMatchObject({ allowed: true, source: "policy", cause: { code: "OUTCOME_UNKNOWN" } });
      expect(await direct.limiter(name, options).peek("ada")).toMatchObject({ remaining: 6 });
    },
  );

  it("a server without memory is an outage", async () => {
    const limiter = direct.limiter(randomUUID(), { ...SLOW, onOutage: "deny" });
    await server.command("CONFIG", "SET", "maxmemory", "1");
    const full = { allowed: false, source: "policy", cause: { code: "SERVER_FULL" } };
    expect(await limiter.consume("ada")).toMatchObject(full);
    expect(await Promise.all([limiter.consume("ada"), limiter.consume("bob")])).toMatchObject([full, full]);
  });

  it("a closed handle is no outage: it rejects", async () => {
    const handle = await connect(server.url, { prefix });
    const limiter = handle.limiter("closed", SLOW);
    await handle.close();
    await expect(limiter.consume("ada")).rejects.toThrow(ClosedError);
  });
});
