/**
 * What could go wrong, and the test for each:
 * - what a process had that is killed is lost, or counts as not delivered ... "kill -9"
 * - one that stood still acknowledges what another has by now .............. "SIGSTOP"
 * - the answer to a claim, or to an acknowledgement, is lost ............... "the answer to a claim", "the answer to an acknowledgement"
 * - subscriptions do not go on when the server is back ..................... "goes on when a stopped server does"
 */
import { type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "../../src/index.ts";
import { sharedClaim, sharedSettle } from "../../src/topic/scripts.gen.ts";
import { losingAnswer } from "../support/lost-answer.ts";
import { Mortals } from "../support/mortal.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../support/servers.ts";
import { until } from "../support/until.ts";

const VISIBILITY_MS = 2_000;

describe("shared subscriptions over processes and connections that die", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let proxy: Proxy;
  let program: Mortals;
  let hf: Holdfast;
  let far: Holdfast;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    program = await Mortals.of(new URL("shared.child.ts", import.meta.url));
    const options = { prefix, timeout: "20s", pingInterval: "100ms", pingTimeout: "300ms" } as const;
    [hf, far] = await Promise.all([connect(server.url, { prefix }), connect(proxy.url, options)]);
  });
  afterEach(async () => {
    server.resume();
    await proxy.heal();
  });
  afterAll(async () => {
    await Promise.all([program?.[Symbol.asyncDispose](), hf?.close(), far?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  const publish = (name: string, count: number): Promise<unknown> =>
    hf.topic<number>(name).publishMany(Array.from({ length: count }, (_, message) => ({ message })));
  const start = (name: string): { child: ChildProcess; said: Record<string, unknown>[] } => {
    const child = program.start(server.url, prefix, name, String(VISIBILITY_MS));
    const said: Record<string, unknown>[] = [];
    child.on("message", (message) => said.push(message as Record<string, unknown>));
    return { child, said };
  };
  /** Handles what there is, and knows which delivery it was. */
  const consume = (name: string, seen: [number, number][], handle = hf) =>
    handle.topic<number>(name).subscribe("s", (m, { delivery }) => void seen.push([m.payload, delivery]), {
      kind: "shared",
      start: "start",
      poll: 200,
      visibility: VISIBILITY_MS,
    });

  it("kill -9: what it had is delivered to others when its visibility is over, as a second delivery", async () => {
    const name = randomUUID();
    await publish(name, 3);
    const { child, said } = start(name);
    await until("it has all", () => said.filter(({ delivery }) => delivery === 1).length === 3);
    child.kill("SIGKILL");
    const seen: [number, number][] = [];
    await using subscription = consume(name, seen);
    await until("delivered again", () => seen.length === 3);
    expect(seen.toSorted(([a], [b]) => a - b)).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    await until("settled", async () => (await subscription.lag()).messages === 0);
  });

  it("SIGSTOP beyond its visibility: another has the message, and its late acknowledgement is stale", async () => {
    const name = randomUUID();
    await publish(name, 1);
    const { child, said } = start(name);
    await until("it has it", () => said.some(({ delivery }) => delivery === 1));
    child.kill("SIGSTOP");
    const seen: [number, number][] = [];
    await using subscription = consume(name, seen);
    await until("delivered again", () => seen.length === 1);
    expect(seen).toEqual([[0, 2]]);
    await until("settled", async () => (await subscription.lag()).messages === 0);
    child.kill("SIGUSR2");
    child.kill("SIGCONT");
    await until("it has ended", () => said.some((each) => "aborted" in each));
    const before = said.length;
    await until("it has said what counted", () => said.slice(before).filter((each) => "handled" in each).length > 3);
    expect(said.at(-1)).toEqual({ handled: 0 });
    child.kill("SIGKILL");
  });

  it("the answer to a claim is lost: the messages are handled at once, as a first delivery", async () => {
    const name = randomUUID();
    await publish(name, 3);
    const seen: [number, number][] = [];
    let subscription: ReturnType<typeof consume> | undefined;
    await losingAnswer(proxy, sharedClaim, async () => {
      subscription = consume(name, seen, far);
      await until("all are handled", () => seen.length === 3);
    });
    await until("settled", async () => (await subscription!.lag()).messages === 0);
    await subscription!.close();
    expect(seen.map(([, delivery]) => delivery)).toEqual([1, 1, 1]);
  });

  it("the answer to an acknowledgement is lost: it counts, once", async () => {
    const name = randomUUID();
    const seen: [number, number][] = [];
    await using subscription = consume(name, seen, far);
    await subscription.ready();
    await losingAnswer(proxy, sharedSettle, async () => {
      await publish(name, 1);
      await until("it counts", () => subscription.stats().handled === 1);
    });
    await until("settled", async () => (await subscription.lag()).messages === 0);
    expect(seen).toEqual([[0, 1]]);
  });

  it("goes on when a stopped server does", async () => {
    const name = randomUUID();
    const seen: [number, number][] = [];
    await using subscription = consume(name, seen);
    await subscription.ready();
    await publish(name, 1);
    await until("one", () => seen.length === 1);
    await server.pause();
    const later = publish(name, 1).catch(() => publish(name, 1));
    server.resume();
    await later;
    await until("another", () => seen.length >= 2);
    await until("settled", async () => (await subscription.lag()).messages === 0);
    expect(seen.map(([, delivery]) => delivery)).not.toContain(2);
  });
});
