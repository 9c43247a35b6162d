/**
 * What could go wrong, and the test for each:
 * - it is not known, and what was asked for is taken for late, because another server came while it was asked .. "though it was forgotten"
 * - it is behind the server's ............................................................................... "never behind"
 * - a caller hangs while no server says its time ............................................................ "is not known"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { createTestServer } from "../../testing/index.ts";
import { ServerClock } from "./server-clock.ts";

describe.each(backends("standalone", "cluster", "embedded"))("the server's clock [$name]", ({ url, options }) => {
  let hf: Holdfast;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
  });
  afterAll(() => hf?.close());

  it("is known to who asks, though it was forgotten while it was asked", async () => {
    const clock = ServerClock.of(hf.driver);
    for (let round = 0; round < 3; round += 1) {
      clock.forget();
      const known = clock.known();
      clock.forget();
      expect(await known).toBeTypeOf("number");
    }
  });

  it("is never behind the server's", async () => {
    const [seconds, micros] = (await hf.driver.send(["TIME"], { op: "test", class: "read" })) as [string, string];
    const then = Number(seconds) * 1_000 + Number(micros) / 1_000;
    expect(await ServerClock.of(hf.driver).known()).toBeGreaterThanOrEqual(then);
  });
});

it("is not known while no server says its time, and then no caller waits for longer than a call", async () => {
  await using server = await createTestServer();
  const hf = await server.connect({ timeout: 200 });
  server.faults.down();
  expect(await ServerClock.of(hf.driver).known()).toBeUndefined();
});
