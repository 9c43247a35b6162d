/**
 * Topics and streams over server-sent events and WebSockets: nothing is lost, however often a client is cut off.
 * What could go wrong, and the test for each:
 * - a message is lost or repeated at a reconnect, or where history becomes live .. "each message once and in order ..."
 * - a plain EventSource, which knows the last id only, loses the other cursors ... "Last-Event-ID has all cursors"
 * - a client that reads slowly loses messages, or the process keeps them ......... "waits for a slow client"
 * - an old cursor is taken for "nothing new" ..................................... "reset"
 * - a screen that is drawn again has half of what it is to show ................... "closed and made again"
 * - somebody sees another's messages ............................................. "a view: by key"
 * - a table of the browser is not what the server has ............................ "the newest of each key"
 * - an answer begins again when the page is reloaded ............................. "a stream goes on where it was, and ends"
 */
import http from "node:http";
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

const cases = backends("standalone", "cluster", "embedded").flatMap((backend) =>
  Object.keys(LIVE_FRAMEWORKS).flatMap((framework) =>
    LIVE_TRANSPORTS.map((transport) => ({ ...backend, framework, transport })),
  ),
);

describe.each(cases)("live topics $framework $transport [$name]", ({ framework, transport, ...backend }) => {
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
    const one = await LIVE_FRAMEWORKS[framework]!(hf, { retry: 5, ...options });
    served.push(one);
    return one;
  }
  function client(url: string, user = ""): Told {
    const told = new Told(url, clientBy(transport, user));
    clients.push(told);
    return told;
  }
  /** What a plain reader gets until it is cut off. */
  async function read(
    url: string,
    headers: http.OutgoingHttpHeaders,
    enough: (text: string) => boolean,
  ): Promise<string> {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = http.get(url, { headers, agent: false }, resolve);
      requests.push(request);
      request.on("error", reject);
    });
    let text = "";
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("error", () => undefined);
    await until("enough", () => enough(text));
    response.destroy();
    return text;
  }

  it("each message once and in order, over all that is cut off", async () => {
    const topic = two.a.topic<number>(randomName(), { partitions: 3 });
    const one = await serve(two.a, { sources: { orders: two.b.topic(topic.name, { partitions: 3 }) } });
    const told = client(one.url);
    told.subscribe("orders");
    await told.until(has("open"));
    for (let n = 0; n < 200; n += 1) {
      await topic.publish(n, { key: `k${n % 7}` });
      if (n % 40 === 20) one.cut();
    }
    await told.until(has("orders"), 200);
    const numbers = told.events.filter(has("orders")).map((event) => (event as { orders: number }).orders);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    for (let key = 0; key < 7; key += 1) {
      const ofKey = numbers.filter((n) => n % 7 === key);
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
    }
    expect(told.events.filter((event) => has("gap")(event) || has("reset")(event))).toEqual([]);
  });

  it.skipIf(transport === "websocket")("Last-Event-ID has all cursors, for a plain EventSource", async () => {
    const [a, b] = [two.a.topic<string>(randomName()), two.a.topic<string>(randomName())];
    const { url } = await serve(two.a, { sources: { a, b } });
    const both = `${url}?subscribe=a&subscribe=b`;
    const first = await read(both, {}, (text) => (text.match(/"open"/g) ?? []).length === 2);
    const id = [...first.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    await a.publish("a1");
    await b.publish("b1");
    const second = await read(both, { "last-event-id": id }, (text) => text.includes('"a1"') && text.includes('"b1"'));
    const next = [...second.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    await a.publish("a2");
    // In quotes: a cursor may have these letters in it.
    const third = await read(both, { "last-event-id": next }, (text) => text.includes('"a2"'));
    expect(third).not.toMatch(/"(?:a1|b1|gap|reset)"/);
    const asQuery = await read(`${both}&lastEventId=${encodeURIComponent(next)}`, {}, (text) => text.includes('"a2"'));
    expect(asQuery).not.toMatch(/"(?:a1|b1)"/);
  });

  it.skipIf(transport === "websocket")("waits for a slow client: nothing is lost, nor kept for it", async () => {
    const topic = two.a.topic<string>(randomName());
    const { url } = await serve(two.a, { sources: { big: topic }, buffer: 2_048 });
    const response = await new Promise<http.IncomingMessage>((resolve) => {
      requests.push(http.get(`${url}?subscribe=big`, { agent: false }, resolve));
    });
    let text = "";
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("error", () => undefined);
    await until("it is open", () => text.includes('"open"'));
    response.pause();
    for (let n = 0; n < 100; n += 1) await topic.publish(`${n} ${"x".repeat(50_000)}`);
    response.resume();
    await until("the last", () => text.includes('"99 '));
    const numbers = [...text.matchAll(/data: "(\d+) x/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it("reset: where the topic is not what it was, or the cursor is none", async () => {
    const topic = two.a.topic<string>(randomName());
    const { url } = await serve(two.a, { sources: { orders: topic } });
    const published = await topic.publish("old");
    const position = published.status === "full" ? "" : published.position;
    for (const key of await two.keys(`topic:{${topic.name}}`)) await two.send("DEL", key);
    // Epochs are milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 2));
    await topic.publish("new");
    for (const cursor of [position, "nonsense"]) {
      const told = client(url);
      told.subscribe("orders", cursor);
      await told.until(has("reset"));
      await told.until(has("open"));
      await topic.publish("newer");
      await told.until((event) => (event as { orders?: string }).orders === "newer");
      expect(told.events.filter((event) => has("orders")(event))).not.toContainEqual({ orders: "old" });
    }
  });

  it("a subscription that is closed and made again at once begins again, and the others go on", async () => {
    const [topic, other] = [two.a.topic<number>(randomName()), two.a.topic<number>(randomName())];
    const { url, live } = await serve(two.a, { sources: { orders: view(topic, { from: "start" }), other } });
    for (const n of [1, 2]) await topic.publish(n);
    const told = client(url);
    const first = told.subscribe("orders");
    told.subscribe("other");
    await told.until(has("orders"), 2);
    await told.until(has("open"), 2);
    first.close();
    told.subscribe("orders");
    await told.until(has("orders"), 4);
    await topic.publish(3);
    await other.publish(7);
    await told.until(has("other"));
    await told.until(has("orders"), 5);
    expect(told.events.filter(has("orders"))).toEqual([1, 2, 1, 2, 3].map((orders) => ({ orders })));
    expect(told.events.filter(has("open"))).toHaveLength(3);
    expect(live.connections).toBe(1);
  });

  it("a view: by key, by headers, a part of each, from the start", async () => {
    const topic = two.a.topic<{ total: number; secret: string }>(randomName(), { partitions: 2 });
    const { url } = await serve(two.a, {
      identifyBy: (header) => ({ user: header("x-user")! }),
      sources: {
        mine: ({ identity }) =>
          view(topic, { key: identity.user!, from: "start", data: ({ payload }) => payload.total }),
        loud: () =>
          view(topic, {
            envelope: ({ headers }) => headers["loud"] === "yes",
            from: "start",
            filter: ({ payload }) => payload.total > 1,
            data: ({ payload, key }) => [key, payload.total],
          }),
      },
    });
    for (const [n, user] of ["ada", "bob", "ada"].entries())
      await topic.publish({ total: n, secret: "s" }, { key: user, headers: n === 2 ? { loud: "yes" } : {} });
    const told = client(url, "ada");
    told.subscribe("mine");
    told.subscribe("loud");
    await told.until(has("mine"), 2);
    await told.until(has("loud"));
    expect(told.events.filter(has("mine"))).toEqual([{ mine: 0 }, { mine: 2 }]);
    expect(told.events.filter(has("loud"))).toEqual([{ loud: ["ada", 2] }]);
  });

  it("the newest of each key, `live`, then changes; after a reconnect no snapshot again", async () => {
    const prices = two.a.topic<number>(randomName(), { latest: true });
    for (const [key, value] of [
      ["a", 1],
      ["b", 2],
      ["a", 3],
    ] as const)
      await prices.set(key, value);
    await prices.set("c", 4);
    await prices.delete("c");
    const first = await serve(two.a, { sources: { prices } });
    const told = client(first.url);
    told.subscribe("prices");
    await told.until(has("live"));
    await prices.delete("b");
    await told.until(has("prices"), 3);
    first.cut();
    await prices.set("d", 5);
    await told.until(has("prices"), 4);
    expect(told.events.filter((event) => !has("open")(event))).toEqual([
      { prices: { key: "b", value: 2 } },
      { prices: { key: "a", value: 3 } },
      { live: "prices" },
      { prices: { key: "b", deleted: true } },
      { live: "prices" },
      { prices: { key: "d", value: 5 } },
    ]);
  });

  it("a stream goes on where it was, and ends; what broke off says so", async () => {
    const id = randomName();
    const { url, cut } = await serve(two.a, { sources: { answer: ({ id }) => two.a.stream<string>(id!) } });
    const started = await two.b.stream<string>(id).start();
    if (started.status !== "ok") throw new Error(started.status);
    const { writer } = started;
    await writer.write("Once ");
    const told = client(url);
    const subscription = told.subscribe(`answer:${id}`);
    await told.until(has(`answer:${id}`));
    cut();
    await writer.write("upon ");
    await told.until(has(`answer:${id}`), 2);
    const reloaded = client(url);
    reloaded.subscribe(`answer:${id}`, subscription.cursor);
    await writer.write("a time");
    await writer.end();
    await Promise.all([told, reloaded].map((each) => each.until(has("end"))));
    const texts = ({ events }: Told): unknown[] => events.filter((event) => !has("open")(event));
    const [once, upon, time] = ["Once ", "upon ", "a time"].map((text) => ({ [`answer:${id}`]: text }));
    const end = { end: `answer:${id}`, status: "end" };
    expect(texts(told)).toEqual([once, upon, time, end]);
    expect(texts(reloaded)).toEqual([time, end]);
    const broken = randomName();
    await two.b
      .stream<string>(broken)
      .pipe(async function* () {
        yield "x";
        throw new Error("no");
      })
      .catch(() => undefined);
    const other = client(url);
    other.subscribe(`answer:${broken}`);
    await other.until(has("end"));
    expect(other.events.at(-1)).toEqual({ end: `answer:${broken}`, status: "aborted", reason: "its source failed" });
  });
});
