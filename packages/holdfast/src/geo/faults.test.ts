/**
 * What could go wrong, and the test for it:
 * - an add whose answer is lost is never repeated ............................... "a lost reply"
 * - an outage is taken for an empty index ....................................... "while the server is away"
 * - a removal passes for done where its server refused it ....................... "a server that refuses writes"
 * - a search fails because its server refuses to remove what has expired ........ "a server that refuses writes"
 */
import { describe, expect, it } from "vitest";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { connect } from "../connect.ts";

describe("geo on one server [standalone]", () => {
  it("a lost reply: an add is repeated until it is answered", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url, { prefix: randomName(), timeout: "20s" });
    const geo = hf.geo("a");
    await geo.add("x", { lon: 1, lat: 1 });
    proxy.dropReplies();
    const executed = proxy.sawReply(":0");
    const moving = geo.add("x", { lon: 2, lat: 2 });
    await executed;
    await proxy.heal();
    await moving;
    expect((await geo.position("x"))!.lon).toBeCloseTo(2, 4);
    expect(await geo.size()).toBe(1);
  });

  it("while the server is away each call rejects by its deadline: never an empty index", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url, { prefix: randomName() });
    const geo = hf.geo("a", { timeout: 200 });
    proxy.refuse();
    proxy.cut();
    const outage = { name: expect.stringMatching(/UnavailableError|TimeoutError/), retryable: true };
    await expect(geo.nearest({ lon: 0, lat: 0 })).rejects.toMatchObject({ ...outage, op: "geo.nearest" });
    await expect(geo.position("x")).rejects.toMatchObject({ ...outage, op: "geo.position" });
    await expect(geo.add("x", { lon: 0, lat: 0 })).rejects.toMatchObject({ ...outage, op: "geo.add" });
    await expect(geo.size()).rejects.toMatchObject({ ...outage, op: "geo.size" });
  });

  it("a server that refuses writes: searches answer, without what has expired", async () => {
    await using server = await startStandalone();
    await using hf = await connect(server.url, { prefix: randomName() });
    const geo = hf.geo("a");
    await geo.addMany(["over", "near", "far"].map((member, at) => [member, { lon: at, lat: 0 }]));
    const ends = [...(await hf.scan("geo:").next()).value!].find((key) => key.endsWith(":ends"))!;
    await server.command("ZADD", ends, "1", "over");
    await server.command("CONFIG", "SET", "min-replicas-to-write", "1");
    const center = { lon: 0, lat: 0 };
    const members = (found: readonly { member: string }[]): string[] => found.map(({ member }) => member);
    expect(members(await geo.nearest(center, { count: 1 }))).toEqual(["near"]);
    expect(members(await geo.radius(center, { meters: 1e6 }))).toEqual(["near", "far"]);
    expect(await geo.nearest({ member: "over" })).toBeUndefined();
    expect(await geo.size()).toBe(2);
    const removing = hf.geo("a", { timeout: 300 }).remove("far");
    await expect(removing).rejects.toMatchObject({ op: "geo.remove" });
    await server.command("CONFIG", "SET", "min-replicas-to-write", "0");
    expect(members(await geo.nearest(center, { count: 1 }))).toEqual(["near"]);
    expect(await server.command("ZCARD", ends)).toBe(2);
    await server.command("DEL", ends);
    await server.command("CONFIG", "SET", "min-replicas-to-write", "1");
    expect(await geo.nearest(center)).toEqual([]);
  });
});
