/**
 * What could go wrong, and the test for each:
 * - a key of another server's is served .............. "sends elsewhere what is not its own"
 * - a slot that moves has a key in two places, or none  "serves what it still has, and sends the rest after it"
 * - keys arrive with another time to live ............ "moves a key with its value and its time to live"
 */
import { describe, expect, it } from "vitest";
import { createServer } from "../server.ts";
import { ErrorReply } from "../base/reply.ts";
import { type ClusterView, keysInSlot, moveKey } from "./cluster.ts";

/** Slots are the first letters of keys. */
const VIEW: ClusterView = {
  slotOf: (key) => key.charCodeAt(0),
  ranges: () => [{ first: 0, last: 96, host: "a", port: 1, id: "A" }],
  ownerOf: () => undefined,
  leavingTo: () => undefined,
  isArriving: () => false,
  published: () => undefined,
};

function open(view: Partial<ClusterView>) {
  const server = createServer({ cluster: { ...VIEW, ...view } });
  const connection = server.connectInProcess();
  const send = (...args: string[]): Promise<unknown> =>
    new Promise((resolve) =>
      connection.send(args, (reply) => resolve(reply instanceof ErrorReply ? reply.message : reply)),
    );
  return { server, send };
}

describe("a server of a cluster", () => {
  it("sends elsewhere what is not its own, and refuses keys of several slots", async () => {
    const { send } = open({ ownerOf: (slot) => (slot === 98 ? "other:7" : undefined) });
    expect(await send("SET", "a1", "x")).toMatchObject({ text: "OK" });
    expect(await send("GET", "b1")).toBe("MOVED 98 other:7");
    expect(await send("EVAL", "return 1", "1", "b1")).toBe("MOVED 98 other:7");
    expect(await send("MGET", "a1", "c1")).toMatch(/^CROSSSLOT /);
    await send("MULTI");
    expect(await send("SET", "b1", "x")).toBe("MOVED 98 other:7");
    expect(await send("EXEC")).toMatch(/^EXECABORT /);
    expect(await send("CLUSTER", "SLOTS")).toEqual([[0, 96, ["a", 1, "A", []]]]);
    expect(await send("CLUSTER", "KEYSLOT", "b1")).toBe(98);
  });

  it("of a slot that leaves serves what it still has, and sends the rest after it", async () => {
    const moving = new Set<number>();
    const { send } = open({ leavingTo: (slot) => (moving.has(slot) ? "other:7" : undefined) });
    await send("SET", "a1", "x");
    moving.add(97);
    expect(await send("GET", "a1")).toBe("x");
    expect(await send("SET", "a2", "x")).toBe("ASK 97 other:7");
    expect(await send("MGET", "a1", "a2")).toMatch(/^TRYAGAIN /);
  });

  it("of a slot that arrives serves only who was sent, for one command", async () => {
    const { send } = open({ ownerOf: () => "other:7", isArriving: () => true });
    expect(await send("GET", "a1")).toBe("MOVED 97 other:7");
    await send("ASKING");
    expect(await send("SET", "a1", "x")).toMatchObject({ text: "OK" });
    expect(await send("GET", "a1")).toBe("MOVED 97 other:7");
    await send("ASKING");
    expect(await send("MGET", "a1", "a2")).toMatch(/^TRYAGAIN /);
  });

  it("moves a key with its value and its time to live", async () => {
    const [one, other] = [open({}), open({})];
    await one.send("HSET", "a1", "f", "v");
    await one.send("PEXPIRE", "a1", "60000");
    expect(keysInSlot(one.server.engine, 97)).toEqual(["a1"]);
    moveKey(one.server.engine, other.server.engine, "a1");
    moveKey(one.server.engine, other.server.engine, "a2");
    expect(await one.send("EXISTS", "a1")).toBe(0);
    expect(await other.send("HGET", "a1", "f")).toBe("v");
    const leftMs = Number(await other.send("PTTL", "a1"));
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });
});
