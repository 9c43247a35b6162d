/**
 * What crosses on its way: ends, changes and questions that are still open when the next one comes. And what clients send that is none of ours.
 * What could go wrong, and the test for each:
 * - who is ended while it is found out what it may have, stays ......... "ended while `authorize` is asked"
 * - nobody comes in while others are ended, again and again ............ "ends of others"
 * - what is added while all is asked again is denied ................... "added while it is asked again"
 * - a change overtakes the one before it ............................... "one after the other", "429"
 * - a client that reads nothing fills the memory by changes ............ "reads none of the answers"
 * - one that is made again has the cursor of one that was closed ....... "begins from the start"
 * - a browser's EventSource loses the cursor of what is not open yet ... "keeps all cursors"
 * - a cursor writes events of its own .................................. "a cursor that is none"
 * - what `identify` says by mistake lets in, or keeps out .............. "is nobody", "expiresIn"
 * - what a view throws ends all other subscriptions, for ever .......... "a chunk that cannot be sent"
 * - a request ends the process ......................................... "no URL"
 * - a response that nobody reads to its end keeps its subscription ..... "streamResponse"
 */
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { sse as expressSse } from "../express/index.ts";
import { type FetchSse, sse, streamResponse, view } from "../fetch/index.ts";
import type { LiveOptions } from "./options.ts";

const URL_OF = "http://localhost/live";

describe.each(backends("standalone", "embedded"))("live crossings [$name]", (backend) => {
  const two = new TwoHandles(backend);
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });

  function serve(options: LiveOptions<Request>): FetchSse {
    const live = sse(two.a, { name: randomName(), retry: 20, ...options });
    opened.push(live);
    return live;
  }
  interface Read {
    text: string;
    isEnded: boolean;
    connection: () => Promise<string>;
  }
  function reading(response: Response): Read {
    const connection = async (): Promise<string> => {
      await until("it is greeted", () => it.text.includes('"hello"'));
      return /"connection":"([\w-]+)"/.exec(it.text)![1]!;
    };
    const it: Read = { text: "", isEnded: false, connection };
    void (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of response.body!) it.text += decoder.decode(bytes as Uint8Array, { stream: true });
      it.isEnded = true;
    })().catch(() => undefined);
    return it;
  }
  const open = async (live: FetchSse, query: string, headers: Record<string, string> = {}): Promise<Read> =>
    reading(await live(new Request(`${URL_OF}?${query}`, { headers })));
  const change = (live: FetchSse, query: string): Promise<Response> =>
    live(new Request(`${URL_OF}?${query}`, { method: "POST" }));
  /** Resolves when this process has heard what was said in the fleet of `name` before. */
  async function heard(name: string, say: () => Promise<void>): Promise<void> {
    const arrived = new Deferred<void>();
    const subscription = await two.a.channel(`live:${name}`).subscribe(() => arrived.resolve());
    await say();
    await arrived.promise;
    await subscription.close();
  }

  it("who is ended while `authorize` is asked is not let in", async () => {
    const [name, asked, answer] = [randomName(), new Deferred<void>(), new Deferred<boolean>()];
    const live = serve({
      name,
      identify: () => ({ user: "ada" }),
      authorize: () => {
        asked.resolve();
        return answer.promise;
      },
      sources: { a: two.a.channel(randomName()) },
    });
    const opening = open(live, "subscribe=a");
    await asked.promise;
    await heard(name, () => live.end({ user: "ada" }));
    answer.resolve(true);
    const it = await opening;
    await until("it has ended", () => it.isEnded);
    expect(it.text).toContain('{"type":"bye","reason":"revoked"}');
    expect(it.text).not.toContain('"open"');
    expect(live.connections).toBe(0);
  });

  it("ends of others do not hold up who comes in; its own does", async () => {
    const name = randomName();
    const asked: string[] = [];
    let ended = "eve";
    const live = serve({
      name,
      identify: async (request) => {
        const user = request.headers.get("x-user")!;
        asked.push(user);
        if (asked.length < 10) await heard(name, () => live.end({ user: ended }));
        ended = "eve";
        return { user };
      },
      sources: {},
    });
    await (await open(live, "", { "x-user": "ada" })).connection();
    expect(asked).toEqual(["ada"]);
    ended = "bob";
    await (await open(live, "", { "x-user": "bob" })).connection();
    expect(asked).toEqual(["ada", "bob", "bob"]);
  });

  it("what is added while it is asked again who may have what is not denied", async () => {
    let asked = 0;
    const [again, answer] = [new Deferred<void>(), new Deferred<boolean>()];
    const live = serve({
      revalidate: 20,
      authorize: ({ name }) => {
        if (name === "b") return true;
        asked += 1;
        if (asked !== 2) return true;
        again.resolve();
        return answer.promise;
      },
      sources: { a: two.a.channel(randomName()), b: two.a.channel(randomName()) },
    });
    const it = await open(live, "subscribe=a");
    const connection = await it.connection();
    await again.promise;
    expect((await change(live, `connection=${connection}&subscribe=b`)).status).toBe(202);
    await until("b is open", () => it.text.includes('{"type":"open","subscription":"b"}'));
    answer.resolve(true);
    await until("it is asked once more", () => asked >= 3);
    expect(it.text).not.toContain("denied");
  });

  it("changes are done one after the other; 429 where too many wait", async () => {
    const [asked, answer] = [new Deferred<void>(), new Deferred<boolean>()];
    const a = two.a.channel<number>(randomName());
    const live = serve({
      authorize: ({ name }) => {
        if (name !== "a") return true;
        asked.resolve();
        return answer.promise;
      },
      sources: { a, b: two.a.channel(randomName()) },
    });
    const it = await open(live, "");
    const connection = await it.connection();
    const changes = [change(live, `connection=${connection}&subscribe=a`)];
    await asked.promise;
    changes.push(change(live, `connection=${connection}&unsubscribe=a&subscribe=b`));
    for (let n = 0; n < 31; n += 1) changes.push(change(live, `connection=${connection}&unsubscribe=c`));
    expect((await changes.at(-1)!).status).toBe(429);
    answer.resolve(true);
    const statuses = (await Promise.all(changes)).map(({ status }) => status);
    expect(statuses).toEqual([...Array.from({ length: 32 }, () => 202), 429]);
    await until("b is open", () => it.text.includes('{"type":"open","subscription":"b"}'));
    await until("nobody listens to a", async () => (await a.publish(1)) === 0);
  });

  it("who reads none of the answers to its changes is told no more of them than `buffer`", async () => {
    const live = serve({ buffer: 1_024, sources: {} });
    const response = await live(new Request(URL_OF));
    const reader = response.body!.getReader();
    const connection = /"connection":"([\w-]+)"/.exec(new TextDecoder().decode((await reader.read()).value))![1]!;
    reader.releaseLock();
    const long = Array.from({ length: 32 }, (_, n) => `&subscribe=${n}${"x".repeat(200)}`).join("");
    const ask = (): Promise<Response> => change(live, `connection=${connection}${long}`);
    expect((await ask()).status).toBe(202);
    const waiting = Array.from({ length: 32 }, ask);
    expect((await ask()).status).toBe(429);
    const it = reading(response);
    for (const each of await Promise.all(waiting)) expect(each.status).toBe(202);
    await until("all answers", () => it.text.match(/"denied"/g)?.length === 33 * 32);
  });

  it("what is closed and made again begins from the start, also on a connection that came back", async () => {
    const topic = two.a.topic<number>(randomName());
    const live = serve({ sources: { a: view(topic, { from: "start" }) } });
    await topic.publish(1);
    const second = await topic.publish(2);
    const position = second.status === "full" ? "" : second.position;
    const it = await open(live, `subscribe=a&cursors=own&lastEventId=${encodeURIComponent(`a=${position}`)}`);
    const connection = await it.connection();
    await until("it is open", () => it.text.includes('"open"'));
    await change(live, `connection=${connection}&unsubscribe=a&subscribe=a`);
    await until("all of it", () => it.text.includes("data: 2\n"));
    expect([...it.text.matchAll(/^data: (\d)$/gm)].map(([, n]) => n)).toEqual(["1", "2"]);
  });

  it("keeps all cursors that an EventSource came with, until each is further", async () => {
    const topics = [two.a.topic<number>(randomName()), two.a.topic<number>(randomName())] as const;
    const live = serve({ sources: { a: topics[0], b: topics[1] } });
    const positions = await Promise.all(topics.map((topic) => topic.publish(1)));
    const [a, b] = positions.map((each) => (each.status === "full" ? "" : each.position));
    const it = await open(live, "subscribe=a&subscribe=b", { "last-event-id": `a=${a}&b=${b}` });
    await until("both are open", () => it.text.match(/"open"/g)?.length === 2);
    const ids = [...it.text.matchAll(/^id: (.*)$/gm)].map(([, id]) => [...new URLSearchParams(id).keys()]);
    expect(ids.length).toBeGreaterThanOrEqual(2);
    for (const each of ids) expect(each.toSorted()).toEqual(["a", "b"]);
  });

  it("a cursor that is none writes no events, and is not given back", async () => {
    const stream = two.a.stream<string>(randomName());
    await stream.pipe(["x"]);
    const live = serve({ sources: { a: stream } });
    const cursor = encodeURIComponent(`a=${encodeURIComponent("1\n\nevent: a\ndata: 7\n\n")}`);
    for (const given of [cursor, encodeURIComponent("a=nonsense")]) {
      const it = await open(live, `subscribe=a&lastEventId=${given}`);
      await until("its end", () => it.text.includes('"end"'));
      expect(it.text).not.toContain("data: 7");
      expect(it.text).toContain('event: live\ndata: {"type":"open","subscription":"a"}');
    }
  });

  it.each([false, null, "", 0])("what `identify` says by mistake is nobody: %j", async (given) => {
    const live = serve({ identify: () => given as never, sources: {} });
    expect((await live(new Request(URL_OF))).status).toBe(401);
  });

  it("expiresIn: longer than a timer may be, and over already", async () => {
    const live = serve({
      identify: (request) => ({ expiresIn: request.headers.has("x-late") ? -1_500 : "60d" }),
      sources: {},
    });
    await (await open(live, "")).connection();
    const late = await open(live, "", { "x-late": "yes" });
    await until("it has ended", () => late.isEnded);
    expect(late.text).toContain('{"type":"bye","reason":"expired"}');
    expect(live.connections).toBe(1);
  });

  it("a chunk that cannot be sent is a gap, and what follows is sent", async () => {
    const stream = two.a.stream<string>(randomName());
    await stream.pipe(["a", "b", "c"]);
    const errors: unknown[] = [];
    const live = serve({
      onError: (error) => errors.push(error),
      sources: {
        a: view(stream, {
          data: (chunk) => {
            if (chunk === "b") throw new Error("no b");
            return chunk;
          },
        }),
      },
    });
    const it = await open(live, "subscribe=a");
    await until("its end", () => it.text.includes('"end"'));
    expect([...it.text.matchAll(/^data: (?:"(\w)"|.*("gap").*)$/gm)].map(([, chunk, gap]) => chunk ?? gap)).toEqual([
      "a",
      '"gap"',
      "c",
    ]);
    expect(errors).toEqual([new Error("no b")]);
    expect(it.isEnded).toBe(false);
  });

  it("a path that is no URL is answered, where there is no framework", async () => {
    const live = expressSse(two.a, { name: randomName(), sources: {} });
    const server = http.createServer((request, response) => live(request, response));
    opened.push(live, { close: () => server.close() });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
    opened.push({ close: () => socket.destroy() });
    let text = "";
    socket.on("data", (data) => (text += data.toString()));
    socket.write("GET // HTTP/1.1\r\nhost: a\r\n\r\n");
    await until("an answer", () => text.includes('"hello"'));
    expect(text).toMatch(/^HTTP\/1.1 200/);
  });

  it.each(["is left unread", "cannot be sent"])("streamResponse: no subscription stays of what %s", async (how) => {
    const id = randomName();
    const stream = two.a.stream<string>(id);
    const started = await stream.start();
    if (started.status !== "ok") throw new Error(started.status);
    await using writer = started.writer;
    for (const chunk of ["a", "b", "c"]) await writer.write(chunk);
    const channels = async (): Promise<number> =>
      ((await two.send("PUBSUB", "SHARDCHANNELS", `*${id}*`)) as unknown[]).length;
    const data = (chunk: string): string => {
      if (how === "cannot be sent" && chunk === "b") throw new Error("no b");
      return chunk;
    };
    const { body } = streamResponse(new Request(URL_OF), stream, { data, onError: () => undefined });
    const reader = body!.getReader();
    await reader.read();
    await reader.read();
    await until("it is subscribed", async () => (await channels()) === 1);
    const left = how === "is left unread" ? reader.cancel() : reader.read().catch(String);
    expect(await left).toBe(how === "is left unread" ? undefined : "Error: no b");
    await until("it is not any more", async () => (await channels()) === 0);
  });
});
