/**
 * A stream as one response, behind each framework, over real connections. What could go wrong, and the test for each:
 * - a client that is cut off has chunks twice, or misses some ...... "goes on behind the last chunk"
 * - a request that is repeated asks the model again ................ "the source is asked once"
 * - a client that leaves takes the answer with it .................. the same
 * - what broke off looks as if it were complete .................... "aborted"
 * - an EventSource comes back to what is complete, for ever ........ "204"
 * - a cursor of something else is taken for nothing new ............ "reset"
 * - a proxy ends a model that thinks for long ...................... "a heartbeat"
 * - an option that is misspelt is taken for none ................... "refuses"
 */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import type { Stream } from "../../stream/stream.ts";
import { streamResponse as expressResponse } from "../express/index.ts";
import { streamResponse as fastifyResponse } from "../fastify/index.ts";
import { streamResponse as fetchResponse, type StreamResponseOptions } from "../fetch/index.ts";
import { streamResponse as honoResponse } from "../hono/index.ts";

type Serve = (stream: Stream<string>, options: StreamResponseOptions<string>) => Promise<http.Server>;

const serverOf = (handler: (request: Request) => Response | Promise<Response>): http.Server => {
  const listener = getRequestListener(handler);
  return http.createServer((request, response) => void listener(request, response));
};

const FRAMEWORKS: Readonly<Record<string, Serve>> = {
  fetch: async (stream, options) => serverOf((request) => fetchResponse(request, stream, options)),
  hono: async (stream, options) => {
    const app = new Hono();
    app.all("/", (c) => honoResponse(c, stream, options));
    return serverOf((request) => app.fetch(request));
  },
  express: async (stream, options) => {
    const app = express();
    app.all("/", (request, response) => expressResponse(request, response, stream, options));
    return http.createServer(app);
  },
  fastify: async (stream, options) => {
    const app = Fastify();
    app.addHook("onRequest", async (_, reply) => void reply.header("x-hook", "ran"));
    app.all("/", (request, reply) => fastifyResponse(request, reply, stream, options));
    await app.ready();
    return app.server;
  },
};

const cases = backends("standalone", "embedded").flatMap((backend) =>
  Object.keys(FRAMEWORKS).map((framework) => ({ ...backend, framework })),
);

interface Read {
  readonly response: http.IncomingMessage;
  text: string;
  isEnded: boolean;
}

describe.each(cases)("streamResponse $framework [$name]", ({ framework, ...backend }) => {
  const two = new TwoHandles(backend);
  const servers: http.Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function serve(stream: Stream<string>, options: StreamResponseOptions<string> = {}): Promise<string> {
    const server = await FRAMEWORKS[framework]!(stream, options);
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }
  async function read(url: string, lastEventId?: string): Promise<Read> {
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const [response] = (await once(http.get(url, { headers, agent: false }), "response")) as [http.IncomingMessage];
    const it: Read = { response, text: "", isEnded: false };
    response.on("data", (chunk: Buffer) => (it.text += chunk.toString()));
    response.on("error", () => undefined);
    response.on("close", () => (it.isEnded = true));
    return it;
  }
  const ended = async (it: Read): Promise<string> => {
    await until("it has ended", () => it.isEnded);
    return it.text;
  };
  const chunks = (text: string): unknown[] =>
    [...text.matchAll(/^id: \S+\ndata: (.*)$/gm)]
      .filter(([all]) => !all.startsWith("id: over"))
      .map(([, json]) => JSON.parse(json!));
  const lastId = (text: string): string => [...text.matchAll(/^id: (\S+)$/gm)].at(-1)![1]!;

  /** Says what it is let, and is asked how often. */
  function source(): { words: string[]; asked: number; isOver: boolean; of: () => AsyncGenerator<string> } {
    const it = {
      words: [] as string[],
      asked: 0,
      isOver: false,
      async *of() {
        it.asked += 1;
        for (let said = 0; ;) {
          await until("there are words", () => it.isOver || it.words.length > said);
          if (it.words.length === said) return;
          yield it.words[said]!;
          said += 1;
        }
      },
    };
    return it;
  }

  it("goes on behind the last chunk that was seen, in another process; the source is asked once, and not cut off with a client", async () => {
    const id = randomName();
    const model = source();
    const [here, there] = [two.a.stream<string>(id), two.b.stream<string>(id)];
    const [one, other] = [await serve(here, { source: model.of }), await serve(there, { source: model.of })];
    const first = await read(one);
    expect(first.response.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
    });
    model.words.push("Once ", "upon\n");
    await until("two", () => chunks(first.text).length === 2);
    first.response.destroy();
    model.words.push("a ");
    const again = await read(other, lastId(first.text));
    await until("one more", () => chunks(again.text).length === 1);
    model.words.push("time");
    model.isOver = true;
    const text = await ended(again);
    expect([...chunks(first.text), ...chunks(text)]).toEqual(["Once ", "upon\n", "a ", "time"]);
    expect(text).toMatch(/\n\nevent: end\nid: over\ndata: {}\n\n$/);
    expect(chunks(await ended(await read(other)))).toEqual(["Once ", "upon\n", "a ", "time"]);
    expect(model.asked).toBe(1);
  });

  it("aborted, where the source fails or there is none; onError is told of it", async () => {
    const errors: unknown[] = [];
    const failing = await serve(two.a.stream<string>(randomName()), {
      source: async function* () {
        yield "a";
        throw new Error("the model is overloaded");
      },
      onError: (error) => errors.push(error),
    });
    const text = await ended(await read(failing));
    expect(chunks(text)).toEqual(["a"]);
    expect(text).toMatch(/event: aborted\nid: over\ndata: {"reason":"its source failed"}\n\n$/);
    expect(errors).toEqual([new Error("the model is overloaded")]);
    const none = await serve(two.a.stream<string>(randomName()), { wait: 0 });
    expect(await ended(await read(none))).toMatch(
      /event: aborted\nid: over\ndata: {"reason":"there is no such stream"}/,
    );
  });

  it("204 for whoever has seen the end, a reset for a cursor that is none, and what `data` makes of a chunk", async () => {
    const stream = two.a.stream<string>(randomName());
    await stream.pipe(["a", "b"]);
    const url = await serve(stream, { data: (text) => ({ text }) });
    const whole = await ended(await read(url));
    expect(chunks(whole)).toEqual([{ text: "a" }, { text: "b" }]);
    const over = await read(url, lastId(whole));
    expect([over.response.statusCode, await ended(over)]).toEqual([204, ""]);
    const strange = await ended(await read(url, "nonsense"));
    expect(strange).toContain("event: reset\n");
    expect(chunks(strange)).toEqual([{ text: "a" }, { text: "b" }]);
  });

  it("a heartbeat while the source thinks; `waitUntil` has what goes on without a client", async () => {
    const model = source();
    const waiting: Promise<void>[] = [];
    const url = await serve(two.a.stream<string>(randomName()), {
      source: model.of,
      heartbeat: 20,
      waitUntil: (done) => waiting.push(done),
    });
    const it = await read(url);
    await until("heartbeats", () => it.text.startsWith(":\n\n:\n\n:\n\n"));
    it.response.destroy();
    model.words.push("late");
    model.isOver = true;
    await Promise.all(waiting);
    expect(waiting).toHaveLength(1);
    expect(chunks(await ended(await read(url)))).toEqual(["late"]);
  });
});

describe.each(backends("embedded"))("streamResponse options [$name]", (backend) => {
  const two = new TwoHandles(backend);
  const request = new Request("http://localhost/");

  it("refuses what it does not know, by its name", () => {
    const stream = two.a.stream<string>("answer");
    expect(() => fetchResponse(request, stream, { sauce: [] } as never)).toThrow(/stream "answer": sauce: .*"source"/);
    expect(() => fetchResponse(request, stream, { data: 7 as never })).toThrow(/data: expected a function/);
    expect(() => fetchResponse(request, {} as never)).toThrow(/stream: expected what `hf.stream` returned/);
  });
});
