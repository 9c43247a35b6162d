/**
 * The user that docs/architecture.md describes can do all that this library does.
 * What could go wrong: a primitive's command, key or channel lies outside the documented rights, and is refused only in
 * production. One call of each primitive, with its waiting and its background work where it has some.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "../src/index.ts";
import { Inbox } from "./conformance/support.ts";
import { type Standalone, startStandalone } from "./support/servers.ts";

const PAGE = new URL("../../../docs/architecture.md", import.meta.url);
/** The first code in the section, such as `~hf:* &hf:* +@all -@admin`. */
const RIGHTS = /## What a server user needs\n[^`]*`([^`]+)`/.exec(readFileSync(PAGE, "utf8"))?.[1]?.split(" ") ?? [];

describe("the documented user [standalone]", () => {
  let server: Standalone;
  let hf: Holdfast;

  const open = (user: string): Promise<Holdfast> => connect(server.url.replace("redis://", `redis://${user}:secret@`));

  beforeAll(async () => {
    server = await startStandalone();
    await server.command("ACL", "SETUSER", "app", "on", ">secret", ...RIGHTS);
    await server.command("ACL", "SETUSER", "listener", "on", ">secret", ...RIGHTS, "&hf:channel:flights.*");
    hf = await open("app");
  });
  afterAll(async () => {
    await hf?.close();
    await server?.stop();
  });

  const USES: Record<string, () => Promise<unknown>> = {
    cache: async () => {
      const users = hf.cache<string>("users");
      expect(await users.getOrSet("a", () => "ada")).toBe("ada");
      // A second handle's load waits for the first one's.
      await using other = await open("app");
      const slowly = async (): Promise<string> => {
        await hf.ping();
        return "slow";
      };
      await Promise.all([users.getOrSet("b", slowly), other.cache<string>("users").getOrSet("b", slowly)]);
      await users.delete("a");
    },
    channel: async () => {
      for (const sharded of [false, true]) {
        const got = new Inbox<string>();
        const channel = hf.channel<string>("news", { sharded });
        await using _ = await channel.subscribe(got.put);
        await channel.publish("hello");
        expect(await got.find()).toBe("hello");
      }
    },
    counter: () => hf.counter("hits").increment("a", 1, { idempotencyKey: "once" }),
    geo: async () => {
      const places = hf.geo("places");
      await places.add("SFO", { lon: -122.4, lat: 37.6 });
      return places.nearest({ lon: -122, lat: 37 }, { count: 1 });
    },
    idempotency: async () => {
      const keys = hf.idempotency("once");
      const both = [keys.run("a", () => hf.ping()), keys.run("a", () => hf.ping())];
      await Promise.all(both);
      await keys.forget("a");
    },
    leaderboard: async () => {
      await hf.leaderboard("points").set("ada", 1);
      return hf.leaderboard("points").top(1);
    },
    limiter: async () => {
      expect(await hf.limiter("api", { limit: 5, window: "1s" }).consume("a")).toMatchObject({ allowed: true });
      const sliding = hf.limiter("api", { limit: 5, window: "1s", algorithm: "sliding" });
      expect(await sliding.consume("a")).toMatchObject({ allowed: true });
    },
    lock: async () => {
      const lock = hf.lock("invoice");
      const held = await lock.acquire();
      const waiting = lock.acquire();
      await held.extend();
      await held.release();
      await (await waiting).release();
      await hf.fenced("state").set("a", 1, held.fence);
    },
    queue: async () => {
      const emails = hf.queue<string>("emails");
      const got = new Inbox<string>();
      await using _ = emails.work((job) => got.put(job.payload));
      await emails.add("hello");
      expect(await got.find()).toBe("hello");
      await emails.schedules.set("s", { every: 100, payload: "again", max: 1 });
      expect(await got.find((message) => message === "again")).toBe("again");
      await emails.schedules.sync("app", {});
      expect(await emails.schedules.remove("s")).toBe(true);
    },
    records: async () => {
      await hf.records<{ a: number }>("users").set("ada", { a: 1 });
      return hf.records<{ a: number }>("users").get("ada");
    },
    sessions: async () => {
      const sessions = hf.sessions<{ cart: string[] }>("shop");
      const created = await sessions.create({ user: "ada", data: { cart: [] } });
      if (created.status !== "ok") throw new Error(created.status);
      expect(await sessions.get(created.id)).toBeDefined();
      await sessions.revokeAll("ada");
    },
    tags: async () => {
      await hf.tags("posts").add("p1", ["red"]);
      return hf.tags("posts").find({ any: ["red"] });
    },
    transaction: async () => {
      const key = hf.key("own", "a");
      const result = await hf.transaction([key], (tx) => tx.queue("SET", key, "1"));
      expect(result.status).toBe("ok");
      await hf.command("GET", key);
    },
    scan: async () => {
      for await (const page of hf.scan()) if (page.length > 0) return;
    },
  };

  it.each(Object.keys(USES))("may use %s", async (name) => {
    await expect(USES[name]!()).resolves.not.toThrow();
  });

  it("may not do more than its prefix allows", async () => {
    await expect(hf.command("GET", "other:key")).rejects.toMatchObject({ code: "PERMISSION" });
    await expect(hf.command("CONFIG", "GET", "*")).rejects.toMatchObject({ code: "PERMISSION" });
  });

  it("needs the very pattern of a pattern subscription besides, as the page says", async () => {
    await using listener = await open("listener");
    const refused = hf.channels("flights.*").subscribe(() => undefined);
    await expect(refused).rejects.toMatchObject({ code: "PERMISSION", op: "channel.subscribe", key: "flights.*" });
    const got = new Inbox<unknown>();
    await using _ = await listener.channels("flights.*").subscribe(got.put);
    await hf.channel("flights.UA1").publish("late");
    expect(await got.find()).toBe("late");
  });
});
