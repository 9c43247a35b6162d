/**
 * Channels over server-sent events, behind each framework, as its own client and as a plain reader see them.
 * What could go wrong, and the test for each:
 * - a client misses what is published after it was told "open" ... "sends what is published from `open` on"
 * - a client that was away takes it for nothing new .............. "comes back after its process has ended, and is told of the gap"
 * - each browser costs a subscription on the server .............. "one subscription on the server, however many clients"
 * - somebody sees what is not theirs ............................. "denies what is not allowed", "401", "a view"
 * - a change of subscriptions loses the others' messages ......... "is changed while it stands, also by way of another process"
 * - a revoked user goes on reading ............................... "ends a user's connections in the whole fleet", "expiresIn", "asks again"
 * - what is for one user reaches another ......................... "toUser"
 * - a client that does not read fills the memory ................. "a client that does not read", "drop", "takes nothing"
 * - a proxy ends what is silent .................................. "heartbeats"
 * - the text is no event stream .................................. "is plain text/event-stream"
 */
import http from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { has, LIVE_FRAMEWORKS, type LiveCommon, type LiveServed, Told } from "../../../test/support/live-frameworks.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import type { Channel } from "../../channel/channel.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Holdfast } from "../../holdfast.ts";
import { sse, view } from "../fetch/index.ts";

const cases = backends("standalone", "embedded").flatMap((backend) =>
  Object.keys(LIVE_FRAMEWORKS).map((framework) => ({ ...backend, framework })),
);

interface Read {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  text: string;
  isEnded: boolean;
  readonly response: http.IncomingMessage;
}

describe.each(cases)("live channels $framework [$name]", ({ framework, ...backend }) => {
  const two = new TwoHandles(backend);
  const served: LiveServed[] = [];
  const clients: Told[] = [];
  const requests: http.ClientRequest[] = [];

  afterEach(async () => {
    for (const { client } of clients.splice(0)) client.close();
    for (const request of requests.splice(0)) request.destroy();
    await Promise.all(served.splice(0).map((each) => each.close()));
  });

  async function serve(hf: Holdfast, options: LiveCommon): Promise<LiveServed> {
    const one = await LIVE_FRAMEWORKS[framework]!(hf, { retry: 20, ...options });
    served.push(one);
    return one;
  }

  function client(url: string, user?: string): Told {
    const told = new Told(url, user === undefined ? {} : { headers: { "x-user": user } });
    clients.push(told);
    return told;
  }

  function read(url: string, headers: http.OutgoingHttpHeaders = {}, method = "GET"): Promise<Read> {
    return new Promise((resolve, reject) => {
      const request = http.request(url, { method, headers, agent: false }, (response) => {
        const it: Read = {
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: "",
          isEnded: false,
          response,
        };
        response.on("data", (chunk: Buffer) => (it.text += chunk.toString()));
        response.on("error", () => undefined);
        response.on("close", () => (it.isEnded = true));
        resolve(it);
      });
      requests.push(request);
      request.on("error", reject);
      request.end();
    });
  }

  const identifyBy: LiveCommon["identifyBy"] = (header) => {
    const user = header("x-user");
    return user === undefined ? undefined : { user };
  };

  it("is plain text/event-stream: a name, an id that is the cursor, one line of JSON, and a comment as heartbeat", async () => {
    const prices = two.a.channel<{ text: string }>(randomName());
    const { url } = await serve(two.a, { sources: { prices }, heartbeat: 30 });
    const plain = await read(`${url}?subscribe=prices`);
    expect(plain.status).toBe(200);
    expect(plain.headers).toMatchObject({
      "content-type": expect.stringMatching(/^text\/event-stream/),
      "cache-control": "no-store, no-transform",
    });
    await until("it is open", () => plain.text.includes('"type":"open"'));
    await prices.publish({ text: "a\nb" });
    await until("the message", () => plain.text.includes('event: prices\nid: prices=-\ndata: {"text":"a\\nb"}\n\n'));
    expect(plain.text).toMatch(/^retry: \d+\n\nevent: live\ndata: {"type":"hello","connection":"[\w-]{22}"}\n\n/);
    await until("a heartbeat", () => /\n\n:\n\n/.test(plain.text));
  });

  it("sends what is published from `open` on, in order", async () => {
    const prices = two.a.channel<number>(randomName());
    const { url } = await serve(two.a, { sources: { prices } });
    const told = client(url);
    told.subscribe("prices");
    await told.until(has("open"));
    const other = two.b.channel<number>(prices.name);
    for (let n = 0; n < 50; n += 1) await other.publish(n);
    await told.until(has("prices"), 50);
    expect(told.events).toEqual([{ open: "prices" }, ...Array.from({ length: 50 }, (_, n) => ({ prices: n }))]);
  });

  it("comes back after its process has ended, and is told of the gap", async () => {
    const prices = two.a.channel<number>(randomName());
    const first = await serve(two.a, { sources: { prices } });
    const port = new URL(first.url).port;
    const told = client(first.url);
    told.subscribe("prices");
    await told.until(has("open"));
    await first.close();
    served.splice(0);
    await prices.publish(1);
    const again = await serve(two.b, { sources: { prices } });
    again.server.close();
    again.server.closeAllConnections();
    await new Promise<void>((resolve) => again.server.listen(Number(port), "127.0.0.1", resolve));
    await told.until(has("open"), 2);
    await prices.publish(2);
    await told.until(has("prices"));
    expect(told.events).toEqual([
      { open: "prices" },
      { open: "prices" },
      { gap: "prices", count: null },
      { prices: 2 },
    ]);
  });

  it("one subscription on the server, however many clients", async () => {
    const prices = two.b.channel<number>(randomName());
    const { url } = await serve(two.a, { sources: { prices: two.a.channel(prices.name) } });
    const many = Array.from({ length: 20 }, () => client(url));
    for (const each of many) each.subscribe("prices");
    await Promise.all(many.map((each) => each.until(has("open"))));
    expect(await prices.publish(7)).toBe(1);
    await Promise.all(many.map((each) => each.until(has("prices"))));
    for (const { client } of many) client.close();
    await until("nobody listens", async () => (await prices.publish(8)) === 0);
  });

  it("denies what is not allowed and what does not exist, and sends the rest", async () => {
    const [name, secret] = [randomName(), randomName()];
    const { url } = await serve(two.a, {
      identifyBy,
      authorize: ({ id, identity }) => id === undefined || id === identity.user,
      sources: {
        prices: two.a.channel(name),
        of: ({ id }) => (id === undefined ? undefined : two.a.channel(secret + id)),
      },
    });
    const told = client(url, "ada");
    for (const each of ["prices", "of:ada", "of:bob", "of", "prices:1", "nothing", "user"]) told.subscribe(each);
    await told.until(has("end"), 4);
    await told.until(has("open"), 3);
    expect(told.events.filter(has("end"))).toHaveLength(4);
    expect(told.events).toContainEqual({ end: "of:bob", status: "denied" });
    await two.b.channel(`${secret}ada`).publish("hers");
    await told.until(has("of:ada"));
    expect((await read(`${url}?subscribe=of:bob`, { "x-user": "ada" })).status).toBe(403);
  });

  it("401 for nobody, 400 for too many, 405 for another method, and the client does not come back", async () => {
    const { url } = await serve(two.a, { identifyBy, maxSubscriptions: 2, sources: { prices: two.a.channel("p") } });
    expect((await read(`${url}?subscribe=prices`)).status).toBe(401);
    expect((await read(`${url}?subscribe=a&subscribe=b&subscribe=c`, { "x-user": "ada" })).status).toBe(400);
    const told = client(url);
    told.subscribe("prices");
    await told.until(has("closed"));
    expect(told.events).toEqual([{ closed: "denied" }]);
  });

  it("a view: a part of the messages, and of each", async () => {
    interface Order {
      readonly user: string;
      readonly total: number;
      readonly secret: string;
    }
    const orders = two.a.channel<Order>(randomName());
    const { url } = await serve(two.a, {
      identifyBy,
      sources: {
        mine: ({ identity }) =>
          view(orders, { filter: ({ user }) => user === identity.user, data: ({ total }) => total }),
      },
    });
    const [ada, bob] = [client(url, "ada"), client(url, "bob")];
    for (const each of [ada, bob]) each.subscribe("mine");
    await Promise.all([ada, bob].map((each) => each.until(has("open"))));
    await orders.publish({ user: "ada", total: 1, secret: "s" });
    await orders.publish({ user: "bob", total: 2, secret: "s" });
    await Promise.all([ada, bob].map((each) => each.until(has("mine"))));
    expect([ada.events.at(-1), bob.events.at(-1)]).toEqual([{ mine: 1 }, { mine: 2 }]);
  });

  it("is changed while it stands, also by way of another process", async () => {
    const [a, b] = [two.a.channel<number>(randomName()), two.a.channel<number>(randomName())];
    const sources = { a, b };
    const [one, other] = await Promise.all([serve(two.a, { sources }), serve(two.b, { sources })]);
    // As a load balancer would do: its changes reach the other process.
    const told = new Told(one.url, {
      fetch: (url, init) => fetch(init?.method === "POST" ? (url as string).replace(one.url, other.url) : url, init),
    });
    clients.push(told);
    const first = told.subscribe("a");
    await told.until(has("open"));
    told.subscribe("b");
    await told.until(has("open"), 2);
    await a.publish(1);
    await b.publish(2);
    await told.until(has("b"));
    first.close();
    await until("nobody listens to it", async () => (await a.publish(3)) === 0);
    await b.publish(4);
    await told.until(has("b"), 2);
    expect(told.events).toEqual([{ open: "a" }, { open: "b" }, { a: 1 }, { b: 2 }, { b: 4 }]);
    expect(one.live.connections).toBe(1);
  });

  it("ends a user's connections in the whole fleet, and only those", async () => {
    const prices = two.a.channel<number>(randomName());
    const name = randomName();
    const [one, other] = await Promise.all(
      [two.a, two.b].map((hf) => serve(hf, { name, identifyBy, sources: { prices } })),
    );
    const [ada, bob] = [client(one!.url, "ada"), client(one!.url, "bob")];
    for (const each of [ada, bob]) each.subscribe("prices");
    await Promise.all([ada, bob].map((each) => each.until(has("open"))));
    await other!.live.end({ user: "ada" });
    await ada.until(has("closed"));
    expect(ada.events.at(-1)).toEqual({ closed: "revoked" });
    await prices.publish(1);
    await bob.until(has("prices"));
    expect(one!.live.connections).toBe(1);
  });

  it("expiresIn ends a connection by itself", async () => {
    const { url } = await serve(two.a, {
      identifyBy: () => ({ user: "ada", expiresIn: 30 }),
      heartbeat: 20,
      sources: { prices: two.a.channel(randomName()) },
    });
    const told = client(url);
    told.subscribe("prices");
    await told.until(has("closed"));
    expect(told.events.at(-1)).toEqual({ closed: "expired" });
  });

  it("asks again every `revalidate`: who is refused is ended, and what is refused is denied", async () => {
    let isKnown = true;
    let isAllowed = true;
    const { url } = await serve(two.a, {
      revalidate: 20,
      identifyBy: () => (isKnown ? { user: "ada" } : undefined),
      authorize: ({ name }) => name !== "b" || isAllowed,
      sources: { a: two.a.channel(randomName()), b: two.a.channel(randomName()) },
    });
    const told = client(url);
    told.subscribe("a");
    told.subscribe("b");
    await told.until(has("open"), 2);
    isAllowed = false;
    await told.until(has("end"));
    isKnown = false;
    await told.until(has("closed"));
    expect(told.events.slice(2)).toEqual([{ end: "b", status: "denied" }, { closed: "revoked" }]);
  });

  it("toUser reaches all connections of a user, in every process, and nobody else's", async () => {
    const name = randomName();
    const [one, other] = await Promise.all([two.a, two.b].map((hf) => serve(hf, { name, identifyBy, sources: {} })));
    const [desk, phone, bob] = [client(one!.url, "ada"), client(other!.url, "ada"), client(one!.url, "bob")];
    for (const each of [desk, phone, bob]) each.subscribe("user");
    await Promise.all([desk, phone, bob].map((each) => each.until(has("open"))));
    await one!.live.toUser("ada", { unread: 3 });
    await one!.live.toUser("bob", { unread: 1 });
    await Promise.all([desk, phone, bob].map((each) => each.until(has("user"))));
    expect([desk, phone, bob].map(({ events }) => events.at(-1))).toEqual([
      { user: { unread: 3 } },
      { user: { unread: 3 } },
      { user: { unread: 1 } },
    ]);
  });

  /** A client that stops reading, and far more messages than the sockets of both sides hold. */
  async function slowly(
    onSlow: "close" | "drop",
  ): Promise<{ slow: Read; big: Channel<string>; live: LiveServed["live"] }> {
    const big = two.a.channel<string>(randomName());
    const { url, live } = await serve(two.a, { sources: { big }, buffer: 4_096, onSlow });
    const slow = await read(`${url}?subscribe=big`);
    await until("it is open", () => slow.text.includes('"type":"open"'));
    slow.response.pause();
    for (let n = 0; n < 200; n += 1) await big.publish(`${n} ${"x".repeat(100_000)}`);
    await big.publish("last");
    return { slow, big, live };
  }

  it("a client that does not read is ended where its buffer is full, and what it got has no hole", async () => {
    const { slow, live } = await slowly("close");
    await until("it was ended", () => live.connections === 0);
    slow.response.resume();
    await until("it sees the end", () => slow.isEnded);
    expect(slow.text).not.toContain('"last"');
    const numbers = [...slow.text.matchAll(/data: "(\d+) x/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(numbers.map((_, at) => at));
  });

  it("drop: what a client does not read in time is left out, and counted", async () => {
    const { slow, big } = await slowly("drop");
    slow.response.resume();
    await until("the gap", () => /{"type":"gap","subscription":"big","count":\d+}/.test(slow.text));
    await big.publish("after");
    await until("what follows", () => slow.text.includes('"after"'));
    const numbers = [...slow.text.matchAll(/data: "(\d+) x/g)].map(([, n]) => Number(n));
    const missing = [...slow.text.matchAll(/"count":(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    expect(numbers.length + missing + (slow.text.includes('"last"') ? 1 : 0)).toBe(201);
  });

  it("a client that takes nothing is disconnected after `stall`", async () => {
    const big = two.a.channel<string>(randomName());
    const { url, live } = await serve(two.a, { sources: { big }, stall: 60, heartbeat: 20 });
    const slow = await read(`${url}?subscribe=big`);
    await until("it is open", () => slow.text.includes('"type":"open"'));
    slow.response.pause();
    // Heartbeats alone would not fill the sockets.
    for (let n = 0; n < 100 && live.connections > 0; n += 1) await big.publish("x".repeat(200_000));
    await until("it was ended", () => live.connections === 0);
    slow.response.resume();
    await until("it sees the end", () => slow.isEnded);
    expect(slow.text).toContain('"type":"open"');
  });
});

describe("live options", () => {
  it("refuses what it does not know, by its name", async () => {
    const { connect } = await import("../../connect.ts");
    await using hf = await connect("embedded://");
    const sources = { prices: hf.channel("prices") };
    expect(() => sse(hf, { sources, heartbeet: "1s" } as never)).toThrow(
      /live "live": heartbeet: .*did you mean "heartbeat"/,
    );
    expect(() => sse(hf, { sources: { error: sources.prices } })).toThrow(InvalidArgumentError);
    expect(() => sse(hf, { sources: { prices: {} as never } })).toThrow(/sources\.prices: expected a channel/);
    expect(() => sse(hf, { name: "shop", sources, onSlow: "wait" as never })).toThrow(/live "shop": onSlow/);
    expect(() => sse({} as never, { sources })).toThrow(/hf: expected what `connect`/);
    await expect(sse(hf, { sources }).end({} as never)).rejects.toThrow(InvalidArgumentError);
  });
});
