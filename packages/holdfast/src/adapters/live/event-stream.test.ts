/**
 * The event stream itself, as a plain reader of it sees it, and readers that do not read.
 * What could go wrong, and the test for each:
 * - the text is no event stream ........................... "is plain text/event-stream"
 * - a proxy ends what is silent ........................... the same
 * - a client that does not read fills the memory .......... "a client that does not read", "drop"
 * - it keeps its socket although it was given up .......... "takes nothing", "has ended"
 * - one that is only slow to begin is given up with them ... "has yet to begin"
 * - somebody may do what is not theirs .................... "401, 403, 400, 405"
 * - a full process takes more, or says nothing of when .... "503"
 */
import http from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { LIVE_FRAMEWORKS, type LiveCommon, type LiveServed } from "../../../test/support/live-frameworks.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import type { Channel } from "../../channel/channel.ts";
import type { Holdfast } from "../../holdfast.ts";
import { sse } from "../fetch/index.ts";

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

describe.each(cases)("live event stream $framework [$name]", ({ framework, ...backend }) => {
  const two = new TwoHandles(backend);
  const served: LiveServed[] = [];
  const requests: http.ClientRequest[] = [];

  afterEach(async () => {
    for (const request of requests.splice(0)) request.destroy();
    await Promise.all(served.splice(0).map((each) => each.close()));
  });

  async function serve(hf: Holdfast, options: LiveCommon): Promise<LiveServed> {
    const one = await LIVE_FRAMEWORKS[framework]!(hf, { retry: 20, ...options });
    served.push(one);
    return one;
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

  it("401 for nobody, 403 for what is not allowed, 400 for too many, 405 for another method", async () => {
    const { url } = await serve(two.a, {
      identifyBy: (header) => (header("x-user") === undefined ? undefined : { user: header("x-user")! }),
      authorize: ({ name }) => name === "prices",
      maxSubscriptions: 2,
      sources: { prices: two.a.channel("p"), secret: two.a.channel("s") },
    });
    const ada = { "x-user": "ada" };
    expect((await read(`${url}?subscribe=prices`)).status).toBe(401);
    expect((await read(`${url}?subscribe=secret`, ada)).status).toBe(403);
    expect((await read(`${url}?subscribe=a&subscribe=b&subscribe=c`, ada)).status).toBe(400);
    expect((await read(`${url}?subscribe=prices`, ada, "POST")).status).toBe(400);
    if (framework === "hono" || framework === "fastify") return; // their routes have the methods that they are given
    const put = await read(`${url}?subscribe=prices`, ada, "PUT");
    expect([put.status, put.headers.allow]).toEqual([405, "GET, POST"]);
  });

  it("503 with Retry-After for one more than `maxConnections`, and after the close", async () => {
    const { url, live } = await serve(two.a, { maxConnections: 1, sources: { prices: two.a.channel(randomName()) } });
    const first = await read(`${url}?subscribe=prices`);
    expect(first.status).toBe(200);
    const second = await read(`${url}?subscribe=prices`);
    expect([second.status, second.headers["retry-after"]]).toEqual([503, "1"]);
    first.response.destroy();
    await until("there is room", () => live.connections === 0);
    expect((await read(`${url}?subscribe=prices`)).status).toBe(200);
    await live.close();
    expect((await read(`${url}?subscribe=prices`)).status).toBe(503);
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

  it("a client whose connection has ended and that reads nothing of it is cut off after `stall`", async () => {
    const big = two.a.channel<string>(randomName());
    const { url, live, server } = await serve(two.a, { sources: { big }, buffer: 4_096, stall: 60, heartbeat: 20 });
    const slow = await read(`${url}?subscribe=big`);
    await until("it is open", () => slow.text.includes('"type":"open"'));
    slow.response.pause();
    for (let n = 0; n < 200 && live.connections > 0; n += 1) await big.publish("x".repeat(200_000));
    await until("it was ended", () => live.connections === 0);
    const open = (): Promise<number> => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await until("its socket is gone", async () => (await open()) === 0);
    expect(slow.text).not.toContain('"last"');
  });
});

describe.each(backends("embedded"))("live event stream that nobody reads yet [$name]", (backend) => {
  const two = new TwoHandles(backend);

  it("a client that has yet to begin to read is not given up before `stall`", async () => {
    await using live = sse(two.a, { sources: {}, heartbeat: 20, stall: "5s" });
    const open = () => live(new Request("http://localhost/live"));
    const [late, other] = [await open(), await open()];
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of other.body!) {
      text += decoder.decode(bytes as Uint8Array);
      if (text.includes("\n\n:\n\n:\n\n:\n\n")) break;
    }
    expect(live.connections).toBe(1);
    const { value } = await late.body!.getReader().read();
    expect(decoder.decode(value)).toContain('"type":"hello"');
  });
});
