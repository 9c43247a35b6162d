/**
 * What could go wrong, and the test for it:
 * - a reply of another type makes consume reject with a raw error, or allows by accident ... "a reply of another type is an outage"
 * - the same within a merged call ........................................................... same
 */
import { afterEach, describe, expect, it } from "vitest";
import { reply, ScriptedTransport } from "../../test/support/scripted-transport.ts";
import { ReplyError } from "../base/errors.ts";
import { Core } from "../core/core.ts";
import { Keyspace } from "../core/keyspace/keyspace.ts";
import type { Reply } from "../driver/port.ts";
import { createDriver } from "../driver/resilience/driver.ts";
import { Limiter } from "./limiter.ts";

describe("a limiter's replies", () => {
  const cores: Core[] = [];
  afterEach(() => Promise.all(cores.splice(0).map((core) => core.close())));

  function limiterOn(answer: Reply, algorithm: "gcra" | "sliding" | "exact", onOutage: "allow" | "deny"): Limiter {
    const driver = createDriver(new ScriptedTransport(reply(answer)));
    const core = new Core(driver, { keys: new Keyspace("hf"), codec: {} });
    cores.push(core);
    return new Limiter(core, "api", { limit: 5, window: "1m", algorithm, onOutage });
  }

  const outage = { source: "policy", cause: { name: "ReplyError", code: "SERVER", op: "limiter.consume" } };

  describe.each(["gcra", "sliding", "exact"] as const)("%s", (algorithm) => {
    it.each(["OK", Buffer.from("text"), null, true, ["x"]])(
      "a reply of another type is an outage: %j",
      async (answer) => {
        const decision = await limiterOn(answer, algorithm, "deny").consume("ada");
        expect(decision).toMatchObject({ ...outage, allowed: false });
        expect(decision.cause).toBeInstanceOf(ReplyError);
      },
    );

    it("a merged call with a reply of another type is an outage for each of its calls", async () => {
      const limiter = limiterOn("OK", algorithm, "allow");
      const decisions = await Promise.all([limiter.consume("ada"), limiter.consume("bob")]);
      expect(decisions).toMatchObject([
        { ...outage, allowed: true },
        { ...outage, allowed: true },
      ]);
    });
  });
});
