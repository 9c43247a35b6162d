/**
 * What could go wrong, and the test for each:
 * - a pack that cannot be written ends the process, or all that is appended after it waits for ever ... "rejects those that are in it"
 * - what waits for room is tried so late that nobody knows what became of it ......................... "is refused at its deadline"
 */
import { afterEach, expect, it } from "vitest";
import { createTestServer, type TestServer } from "../../testing/index.ts";
import { Topic } from "../../topic/topic.ts";
import { LogAppender } from "./appender.ts";
import type { LogMessage } from "./frame.ts";

let server: TestServer;
afterEach(() => server.close());

it("a pack that cannot be written rejects those that are in it, and no others", async () => {
  server = await createTestServer();
  const { core, logs } = Topic.sourceOf((await server.connect()).topic("t"));
  const retention = {
    keepMs: 60_000,
    maxMessages: 100,
    keepUnread: false,
    onFull: "drop-oldest",
    dedupeMs: 60_000,
  } as const;
  const terms = { op: "test", name: "t" };
  const appender = new LogAppender(core, logs[0]!, retention, terms, () => (status, offset) => ({ status, offset }));
  const payload = Buffer.from("1");
  let isBroken = false;
  const message: LogMessage = {
    payload,
    get id(): string | undefined {
      if (isBroken) throw new TypeError("it has changed since");
      return undefined;
    },
  };
  const failed = Promise.allSettled([appender.append(message), appender.append({ payload })]);
  isBroken = true;
  expect(await failed).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
  expect(await appender.append({ payload })).toEqual({ status: "ok", offset: 1 });
});

it("what waits for room is refused at its deadline, also where answers take a while", async () => {
  server = await createTestServer({ clock: "virtual" });
  const hf = await server.connect();
  const topic = hf.topic<number>("t", { maxMessages: 1, onFull: "wait", timeout: "640ms" });
  await topic.publish(0);
  using _ = server.faults.delay("40ms");
  const waiting = Promise.allSettled([topic.publish(1)]);
  await server.clock.advance("2s");
  expect(await waiting).toMatchObject([{ status: "fulfilled", value: { status: "full" } }]);
});
