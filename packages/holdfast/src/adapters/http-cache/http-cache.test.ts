/**
 * What could go wrong, and the test for each:
 * - each process runs the handler for the same response .......... "one run of the handler for the fleet", "... per variant"
 * - a response that is one client's reaches another .............. "a response that is private is nobody else's"
 * - a purge, or a change, meets a load ........................... "purge by tag during a load", "a POST during a load"
 * - long bodies fill the memory, or hold the client up ........... "streams what is too long", "the first client gets chunks as they come"
 * - a body that broke off is stored .............................. "a body that breaks off is not stored"
 * - the server is away, and with it the pages .................... "without a server"
 * - a purge, or a change, that could not be sent is forgotten ..... "could not be sent"
 * - one client's end ends what others wait for ................... "a client that goes"
 */
import http from "node:http";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import {
  FRAMEWORKS,
  type Handler,
  type HandlerResponse,
  send,
  type Served,
} from "../../../test/support/http-frameworks.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { startStandalone } from "../../../test/support/servers.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { connect, holdfast } from "../../connect.ts";
import { httpCache } from "../fetch/index.ts";
import type { HttpCacheOptions } from "./options.ts";

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const cases = backends().flatMap((backend) => Object.keys(FRAMEWORKS).map((framework) => ({ ...backend, framework })));

describe.each(cases)("HTTP cache of $framework [$name]", ({ url, options, framework }) => {
  const two = new TwoHandles({ url, options });
  const open: Served[] = [];
  afterEach(() => Promise.all(open.splice(0).map((served) => served.close())));

  /** The same handler in two processes. */
  const pair = async (handler: Handler, given: HttpCacheOptions = {}): Promise<[Served, Served]> => {
    // Both behind one host, as behind a load balancer: here each has a port of its own.
    const common = { name: randomName(), key: (request: { url: string }) => new URL(request.url).pathname, ...given };
    const served = await Promise.all([two.a, two.b].map((hf) => FRAMEWORKS[framework]!(hf, handler, common)));
    open.push(...served);
    return served as [Served, Served];
  };
  const cacheable = (body: HandlerResponse["body"], headers: HandlerResponse["headers"] = {}): HandlerResponse => ({
    headers: { "cache-control": "max-age=60", ...headers },
    body: body!,
  });

  it("one run of the handler for the fleet", async () => {
    const [hold, began] = [gate(), gate()];
    let runs = 0;
    const [here, there] = await pair(async () => {
      runs += 1;
      began.open();
      await hold.opened;
      return cacheable("page");
    });
    const first = send(here.url);
    await began.opened;
    const others = Array.from({ length: 20 }, (_, at) => send((at % 2 === 0 ? here : there).url));
    const slow = Promise.all(others);
    hold.open();
    for (const { body, status } of [await first, ...(await slow)]) expect([status, body]).toEqual([200, "page"]);
    expect(runs).toBe(1);
  });

  it("one run per variant", async () => {
    const runs: Record<string, number> = {};
    const [here, there] = await pair(({ header }) => {
      const language = header("accept-language") ?? "none";
      runs[language] = (runs[language] ?? 0) + 1;
      return cacheable(language, { vary: "Accept-Language" });
    });
    const ask = (served: Served, language: string) => send(served.url, { headers: { "accept-language": language } });
    await ask(here, "de");
    const asked = Array.from({ length: 24 }, (_, at) => ["de", "fr", "it"][at % 3]!);
    const replies = await Promise.all(asked.map((language, at) => ask(at % 2 === 0 ? here : there, language)));
    expect(replies.map(({ body }) => body)).toEqual(asked);
    expect(runs).toEqual({ de: 1, fr: 1, it: 1 });
  });

  it("a response that is private is nobody else's", async () => {
    const [here, there] = await pair(({ header }) => ({
      headers: { "cache-control": "private, max-age=60" },
      body: String(header("x-user")),
    }));
    const ask = (at: number) => send((at % 2 === 0 ? here : there).url, { headers: { "x-user": `u${at}` } });
    const replies = await Promise.all([0, 1, 2, 3, 4, 5].map(ask));
    expect(replies.map(({ body }) => body)).toEqual(["u0", "u1", "u2", "u3", "u4", "u5"]);
  });

  it("purge by tag: all that has it, in all processes, and nothing else", async () => {
    let runs = 0;
    const [here, there] = await pair(({ path }) => {
      runs += 1;
      const tags: Record<string, HandlerResponse["headers"]> = {
        "/a": { "cache-tag": "x, y" },
        "/b": { "surrogate-key": "y z" },
        "/c": { "cache-tag": "z", vary: "Accept-Language" },
      };
      return cacheable(`${path} ${runs}`, tags[path] ?? {});
    });
    const bodies = async (served: Served) =>
      Promise.all(["/a", "/b", "/c"].map(async (path) => (await send(served.url + path)).body.split(" ")[1]));
    const first = await bodies(here);
    expect(new Set(await bodies(there))).toEqual(new Set(first));
    await there.purge({ tags: ["y"] });
    const second = await bodies(here);
    expect(second[2]).toBe(first[2]);
    expect([second[0] === first[0], second[1] === first[1]]).toEqual([false, false]);
    await here.purge({ tags: ["z"] });
    expect((await bodies(there))[2]).not.toBe(first[2]);
    await there.purge({ all: true });
    await bodies(here);
    expect(runs).toBe(3 + 2 + 2 + 3);
  });

  it.each([
    ["purge by tag", (served: Served) => served.purge({ tags: ["t"] })],
    ["purge by URL", (served: Served) => served.purge({ urls: [served.url] })],
    ["a POST", (served: Served) => send(served.url, { method: "POST" })],
  ])("%s during a load: what it loads is not served after it", async (_, change) => {
    for (const vary of [{}, { vary: "Accept-Language" }]) {
      const [hold, began] = [gate(), gate()];
      let version = 1;
      const [here, there] = await pair(async ({ method }) => {
        if (method === "POST") {
          version = 2;
          return {};
        }
        const read = version;
        if (read === 1) {
          began.open();
          await hold.opened;
        }
        return cacheable(`version ${read}`, { "cache-tag": "t", ...vary });
      });
      const old = send(here.url);
      await began.opened;
      version = 2;
      await change(there);
      hold.open();
      expect((await old).body).toBe("version 1");
      expect((await send(here.url)).body).toBe("version 2");
      expect((await send(there.url)).body).toBe("version 2");
    }
  });

  it("streams what is too long to be stored, and stores nothing of it", async () => {
    let runs = 0;
    const chunk = "x".repeat(10_000);
    const [here] = await pair(
      () => {
        runs += 1;
        const body = (async function* () {
          for (let at = 0; at < 50; at += 1) yield chunk;
        })();
        return cacheable(body);
      },
      { maxBody: 20_000 },
    );
    for (let at = 1; at <= 2; at += 1) {
      expect((await send(here.url)).body.length).toBe(500_000);
      expect(runs).toBe(at);
    }
  });

  it("the first client gets chunks as they come", async () => {
    const hold = gate();
    const [here] = await pair(() => {
      const body = (async function* () {
        yield "first";
        await hold.opened;
        yield " second";
      })();
      return cacheable(body);
    });
    const whole = await new Promise<string>((resolve, reject) => {
      http
        .get(here.url, { agent: false }, (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (data: string) => {
            text += data;
            // Only then is there more.
            if (text === "first") hold.open();
          });
          response.on("end", () => resolve(text));
        })
        .on("error", reject);
    });
    expect(whole).toBe("first second");
    const again = await send(here.url);
    expect([again.body, again.headers["cache-status"]]).toEqual(["first second", expect.stringContaining("hit")]);
  });

  it("a body that breaks off is not stored", async () => {
    let runs = 0;
    const [here] = await pair(() => {
      runs += 1;
      if (runs > 1) return cacheable("whole");
      const body = (async function* () {
        yield "ha";
        throw new Error("broken off");
      })();
      return cacheable(body);
    });
    await send(here.url).catch(() => undefined);
    await expect.poll(async () => (await send(here.url)).body).toBe("whole");
    expect(runs).toBeGreaterThan(1);
  });

  it("a client that goes does not end what others wait for", async () => {
    const [hold, began] = [gate(), gate()];
    let runs = 0;
    const [here, there] = await pair(async () => {
      runs += 1;
      began.open();
      await hold.opened;
      return cacheable("page");
    });
    const gone = http.get(here.url, { agent: false });
    const ended = new Promise((resolve) => gone.on("error", resolve));
    await began.opened;
    const waiting = send(there.url);
    gone.destroy();
    await ended;
    hold.open();
    expect((await waiting).body).toBe("page");
    expect(runs).toBeLessThan(3);
  });

  it("the handler's error is the client's, and the next one runs it again", async () => {
    let runs = 0;
    const [here] = await pair(() => {
      runs += 1;
      if (runs === 1) throw new Error("the handler's own");
      return cacheable("page");
    });
    expect((await send(here.url)).status).toBe(500);
    expect((await send(here.url)).body).toBe("page");
  });
});

describe.each(Object.keys(FRAMEWORKS))("HTTP cache of %s", (framework) => {
  const away = holdfast("redis://127.0.0.1:1", { timeout: "300ms" });
  afterAll(() => away.close());

  it("without a server: the handler runs, and a change is answered", async () => {
    const served = await FRAMEWORKS[framework]!(
      away,
      ({ method }) => ({ headers: { "cache-control": "max-age=60" }, body: method }),
      { timeout: "200ms" },
    );
    try {
      const replies = await Promise.all([1, 2, 3].map(() => send(served.url)));
      expect(replies.map(({ status, body }) => [status, body])).toEqual([1, 2, 3].map(() => [200, "GET"]));
      expect(await send(served.url, { method: "POST" })).toMatchObject({ status: 200, body: "POST" });
      expect((await send(served.url, { method: "HEAD" })).status).toBe(200);
    } finally {
      await served.close();
    }
  });
});

describe("HTTP cache on a server that is stopped [standalone]", () => {
  it.each(["purge", "POST"])(
    "a %s that could not be sent is sent before the response is served again",
    async (kind) => {
      await using server = await startStandalone();
      await using hf = await connect(server.url);
      let version = 1;
      const cache = { name: randomName(), timeout: 200 } as const;
      const handler: Handler = () => ({
        headers: { "cache-control": "max-age=60", "cache-tag": "t" },
        body: `v${version}`,
      });
      const served = await FRAMEWORKS["hono"]!(hf, handler, cache);
      const page = async (method = "GET"): Promise<string> => (await send(served.url, { method })).body;
      expect(await page()).toBe("v1");
      await server.pause();
      version = 2;
      const isRefused = kind === "purge" && (await served.purge({ tags: ["t"] }).catch(() => true)) === true;
      if (kind === "POST") await page("POST");
      expect(isRefused).toBe(kind === "purge");
      expect(hf.cache(cache.name).stats().unsent).toBeGreaterThan(0);
      server.resume();
      expect(await page()).toBe("v2");
      await served.close();
    },
  );
});

describe("HTTP cache: options", () => {
  const hf = holdfast("embedded://");
  afterAll(() => hf.close());

  it.each<[object, string]>([
    [{ maxBodyy: 1 }, 'httpCache "http": maxBodyy: expected another name (did you mean "maxBody"?)'],
    [{ name: "pages", keep: "long" }, 'httpCache "pages": keep: expected a duration'],
    [{ maxVariants: 0 }, "maxVariants: expected a whole number"],
    [{ heuristic: 2 }, "heuristic: expected a number from 0 to 1"],
    [{ key: "url" }, "key: expected a function"],
    [{ skip: true }, "skip: expected a function"],
    [{ clientDirectives: 1 }, "clientDirectives: expected true or false"],
    [{ cacheStatus: "a\n" }, "cacheStatus: expected a name, or false"],
    [{ ttl: "1m" }, "ttl: expected"],
  ])("refuses %o", (given, message) => {
    expect(() => httpCache(hf, given)).toThrow(InvalidArgumentError);
    expect(() => httpCache(hf, given)).toThrow(message);
  });

  it("purge refuses what it does not know", async () => {
    const cache = httpCache(hf);
    await expect(cache.purge({ tag: ["a"] } as never)).rejects.toThrow('did you mean "tags"?');
    await expect(cache.purge({ urls: ["/a"] })).rejects.toThrow("urls: expected absolute URLs");
  });
});
