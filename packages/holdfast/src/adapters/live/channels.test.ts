/**
 * Channels behind each framework, over server-sent events and over WebSockets, as their client sees them.
 * What could go wrong, and the test for each:
 * - a client misses what is published after it was told "open" ... "sends what is published from `open` on"
 * - a client that was away takes it for nothing new .............. "comes back after its process has ended, and is told of the gap"
 * - each browser costs a subscription on the server .............. "one subscription on the server, however many clients"
 * - somebody sees what is not theirs ............................. "denies what is not allowed", "nobody knows", "a view"
 * - a change of subscriptions loses the others' messages ......... "is changed while it stands, also by way of another process"
 * - a revoked user goes on reading ............................... "ends a user's ...", "ends ... one session", "expiresIn", "asks again"
 * - what is for one user reaches another ......................... "toUser"
 */
import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import {
  clientBy,
  has,
  LIVE_FRAMEWORKS,
  LIVE_TRANSPORTS,
  type LiveCommon,
  type LiveServed,
  Told,
} from "../../../test/support/live-frameworks.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import type { Holdfast } from "../../holdfast.ts";
import { view } from "../fetch/index.ts";

const cases = backends("standalone", "embedded").flatMap((backend) =>
  Object.keys(LIVE_FRAMEWORKS).flatMap((framework) =>
    LIVE_TRANSPORTS.map((transport) => ({ ...backend, framework, transport })),
  ),
);

describe.each(cases)("live channels $framework $transport [$name]", ({ framework, transport, ...backend }) => {
  const two = new TwoHandles(backend);
  const served: LiveServed[] = [];
  const clients: Told[] = [];

  afterEach(async () => {
    for (const { client } of clients.splice(0)) client.close();
    await Promise.all(served.splice(0).map((each) => each.close()));
  });

  async function serve(hf: Holdfast, options: LiveCommon): Promise<LiveServed> {
    const one = await LIVE_FRAMEWORKS[framework]!(hf, { retry: 20, ...options });
    served.push(one);
    return one;
  }

  function client(url: string, user?: string): Told {
    const told = new Told(url, clientBy(transport, user));
    clients.push(told);
    return told;
  }

  const identifyBy: LiveCommon["identifyBy"] = (header) => {
    const user = header("x-user");
    return user === undefined ? undefined : { user };
  };

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
  });

  it("a client that nobody knows, or that wants too much, does not come back", async () => {
    const { url, live } = await serve(two.a, {
      identifyBy,
      maxSubscriptions: 2,
      sources: { prices: two.a.channel(randomName()) },
    });
    const nobody = client(url);
    nobody.subscribe("prices");
    await nobody.until(has("closed"));
    expect(nobody.events).toEqual([{ closed: "denied" }]);
    const greedy = client(url, "ada");
    for (const id of ["a", "b", "c"]) greedy.subscribe(id);
    await greedy.until(has("closed"));
    expect(greedy.events).toEqual([{ closed: "refused" }]);
    await until("nobody is left", () => live.connections === 0);
  });

  it("a client for which there is no room comes back until there is", async () => {
    const prices = two.a.channel<number>(randomName());
    const { url } = await serve(two.a, { maxConnections: 1, sources: { prices } });
    const [first, second] = [client(url), client(url)];
    first.subscribe("prices");
    await first.until(has("open"));
    second.subscribe("prices");
    await prices.publish(1);
    await first.until(has("prices"));
    first.client.close();
    await second.until(has("open"));
    await prices.publish(2);
    await second.until(has("prices"));
    expect(second.events).toEqual([{ open: "prices" }, { prices: 2 }]);
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
      ...clientBy(transport),
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

  it("ends the connections of one session in the whole fleet, and leaves the user's others", async () => {
    const prices = two.a.channel<number>(randomName());
    const name = randomName();
    const identifyBy: LiveCommon["identifyBy"] = (header) => ({ user: "ada", session: header("x-user")! });
    const [one, other] = await Promise.all(
      [two.a, two.b].map((hf) => serve(hf, { name, identifyBy, sources: { prices } })),
    );
    const [desk, phone] = [client(one!.url, "desk"), client(other!.url, "phone")];
    for (const each of [desk, phone]) each.subscribe("prices");
    await Promise.all([desk, phone].map((each) => each.until(has("open"))));
    await other!.live.end({ session: "desk" });
    await desk.until(has("closed"));
    expect(desk.events.at(-1)).toEqual({ closed: "revoked" });
    await prices.publish(1);
    await phone.until(has("prices"));
    expect([one!.live.connections, other!.live.connections]).toEqual([0, 1]);
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
});
