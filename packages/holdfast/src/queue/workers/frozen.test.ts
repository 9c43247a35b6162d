/**
 * What could go wrong, and the test for it:
 * - the worker that a wake-up reaches stands still, and the job waits for it while others are free ... "at most until the others' next look"
 */
import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";

const CALL = { op: "test", class: "idempotent" } as const;

it.each(backends("standalone", "embedded"))(
  "a job whose wake-up reached a worker that stands still waits at most until the others' next look [$name]",
  async ({ url, options }) => {
    const prefix = `q-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const queue = hf.queue<number>("frozen");
    await using worker = queue.work(() => undefined, { poll: "500ms" });
    await queue.add(1);
    await until("the worker works", () => worker.stats().completed === 1);
    // As a worker leaves it that listened and was stopped then: it is the next that is woken, and cannot hear it.
    const idle = `${prefix}:queue:{frozen}:idle`;
    await hf.driver.send(["ZADD", idle, String(Date.now() + 600_000), "stopped"], CALL, idle);
    await queue.add(2);
    expect(await hf.driver.send(["ZSCORE", idle, "stopped"], { ...CALL, class: "read" }, idle)).toBeNull();
    await until("another one takes it", () => worker.stats().completed === 2);
  },
);
