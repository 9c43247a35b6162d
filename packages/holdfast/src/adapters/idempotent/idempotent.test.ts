/**
 * `Idempotency-Key` over real HTTP, behind each framework.
 * What could go wrong, and the test for each:
 * - a repeat runs the handler again .......................... "runs once, and sends the stored response again"
 * - a repeat gets what was one client's or one moment's ...... the same: cookies and dates are not stored
 * - the handler cannot read the body that was compared ....... the same
 * - a repeat meets the first, or a second request its key .... "409 while it runs", "422 for another request"
 * - a request without a key slips through .................... "400 where a key is required"
 * - a failure is kept, or a refusal ties the key ............. "a response that is not stored"
 * - a long response fills the memory, or is cut .............. "a response that is too long"
 * - a tenant gets another's response ......................... "scope"
 * - a client that goes loses the response .................... "a client that goes"
 * - the handler runs while nobody can know of repeats ........ "503 without a server"
 */
import http from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import {
  ONCE_FRAMEWORKS,
  type OnceHandler,
  type OnceServed,
  post,
} from "../../../test/support/idempotent-frameworks.ts";
import { startStandalone } from "../../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { connect } from "../../connect.ts";
import type { IdempotentOptions } from "./options.ts";
import { idempotent } from "../fetch/index.ts";

const cases = backends("standalone", "embedded").flatMap((backend) =>
  Object.keys(ONCE_FRAMEWORKS).map((framework) => ({ ...backend, framework })),
);

function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

describe.each(cases)("idempotent $framework [$name]", ({ framework, ...backend }) => {
  const two = new TwoHandles(backend);
  const served: OnceServed[] = [];
  let name: string;
  afterEach(() => Promise.all(served.splice(0).map((each) => each.close())));

  /** Two processes with one handler. */
  async function serve(handler: OnceHandler, options?: IdempotentOptions): Promise<readonly [string, string]> {
    name = randomName();
    const both = [two.a, two.b].map((hf) => ONCE_FRAMEWORKS[framework]!(hf, handler, { name, ...options }));
    const [a, b] = await Promise.all(both);
    served.push(a!, b!);
    return [`${a!.url}/pay?x=1`, `${b!.url}/pay?x=1`];
  }

  it("runs once, and sends the stored response again: its status, its body and the fields that are not one moment's", async () => {
    const handler = vi.fn<OnceHandler>(({ body, run }) => ({
      status: 201,
      headers: {
        location: "/payments/7",
        "set-cookie": "a=b",
        "content-type": "text/plain; charset=utf-8",
        "x-request": "1",
      },
      body: `${JSON.stringify(body)} ${run?.attempt} ${run?.key}`,
    }));
    const [a, b] = await serve(handler);
    const key = { "idempotency-key": '"8e03978e"' };
    const first = await post(a, { cents: 5 }, key);
    expect(first).toMatchObject({ status: 201, body: '{"cents":5} 1 8e03978e', headers: { location: "/payments/7" } });
    expect(first.headers["set-cookie"]).toEqual(["a=b"]);
    expect(first.headers["idempotency-replayed"]).toBeUndefined();
    // As most clients send it.
    const again = await post(b, { cents: 5 }, { "idempotency-key": "8e03978e" });
    expect(again).toMatchObject({
      status: 201,
      body: first.body,
      headers: { location: "/payments/7", "content-type": "text/plain; charset=utf-8", "idempotency-replayed": "true" },
    });
    expect(again.headers).not.toHaveProperty("set-cookie");
    expect(again.headers).not.toHaveProperty("x-request");
    expect(handler).toHaveBeenCalledOnce();
    await post(b, { cents: 5 }, { "idempotency-key": "another" });
    await post(b, { cents: 5 });
    expect(handler).toHaveBeenCalledTimes(3);
  });

  it("409 while it runs, with Retry-After; with `wait` the same response", async () => {
    const { open, opened } = gate();
    const handler = vi.fn<OnceHandler>(async () => {
      await opened;
      return { body: "done" };
    });
    const [a, b] = await serve(handler);
    const key = { "idempotency-key": "k" };
    const first = post(a, {}, key);
    await until("it runs", () => handler.mock.calls.length === 1);
    const busy = await post(b, {}, key);
    expect(busy.status).toBe(409);
    expect(busy.headers["content-type"]).toBe("application/problem+json");
    expect(Number(busy.headers["retry-after"])).toBeGreaterThan(0);
    open();
    expect(await first).toMatchObject({ status: 200, body: "done" });
    expect(await post(b, {}, key)).toMatchObject({ body: "done", headers: { "idempotency-replayed": "true" } });
    const [c, d] = await serve(async () => ({ body: "once" }), { wait: "30s" });
    const all = await Promise.all([c, d, c, d].map((url) => post(url, {}, key)));
    expect(new Set(all.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(["200 once"]));
  });

  it("422 for another request under the same key: body, path or method", async () => {
    const [a, b] = await serve(() => ({ body: "done" }));
    const key = { "idempotency-key": "k" };
    await post(a, { cents: 5 }, key);
    expect((await post(b, { cents: 6 }, key)).status).toBe(422);
    expect((await post(`${b}2`, { cents: 5 }, key)).status).toBe(422);
    expect((await post(b, { cents: 5 }, key, "PATCH")).status).toBe(422);
    expect((await post(b, { cents: 5 }, key, "PUT")).body).toBe("done");
  });

  it("400 where a key is required and missing, or is none", async () => {
    const [a] = await serve(() => ({ body: "done" }), { required: true });
    expect(await post(a, {})).toMatchObject({ status: 400, headers: { "content-type": "application/problem+json" } });
    for (const wrong of ["", '""', "a b", "x".repeat(256), '"a", "b"'])
      expect([wrong, (await post(a, {}, { "idempotency-key": wrong })).status]).toEqual([wrong, 400]);
    expect((await post(a, undefined, { "idempotency-key": '"a b"' })).body).toBe("done");
    expect((await post(a, undefined, {}, "DELETE")).body).toBe("done");
  });

  it("a response that is not stored: a repeat runs again, after a failure as the same request, else as any", async () => {
    let count = 0;
    const statuses = [503, 201, 400, 200];
    const [a, b] = await serve(({ run }) => ({ status: statuses[(count += 1) - 1]!, body: `${run?.attempt}` }), {
      store: (status) => status < 400,
    });
    const key = { "idempotency-key": "k" };
    expect(await post(a, { n: 1 }, key)).toMatchObject({ status: 503, body: "1" });
    expect((await post(b, { n: 2 }, key)).status).toBe(422);
    expect(await post(b, { n: 1 }, key)).toMatchObject({ status: 201, body: "2" });
    const other = { "idempotency-key": "other" };
    expect(await post(a, { n: 1 }, other)).toMatchObject({ status: 400 });
    expect(await post(b, { n: 2 }, other)).toMatchObject({ status: 200 });
    expect(await post(a, { n: 2 }, other)).toMatchObject({ status: 200, headers: { "idempotency-replayed": "true" } });
  });

  it("a handler that throws is run again", async () => {
    let count = 0;
    const [a, b] = await serve(() => {
      count += 1;
      if (count === 1) throw new Error("no");
      return { body: "done" };
    });
    const key = { "idempotency-key": "k" };
    expect((await post(a, {}, key)).status).toBe(500);
    expect(await post(b, {}, key)).toMatchObject({ status: 200, body: "done" });
  });

  it("a response in pieces is stored whole, and one that is too long goes out once, whole", async () => {
    async function* pieces(count: number): AsyncGenerator<string> {
      for (let at = 0; at < count; at += 1) yield `${at % 10}`.repeat(100);
    }
    const handler = vi.fn<OnceHandler>(({ body }) => ({ body: pieces((body as { count: number }).count) }));
    const [a, b] = await serve(handler, { maxBody: 1_000 });
    const send = (url: string, count: number): ReturnType<typeof post> =>
      post(url, { count }, { "idempotency-key": `k${count}` });
    expect((await send(a, 5)).body).toHaveLength(500);
    expect(await send(b, 5)).toMatchObject({ status: 200, headers: { "idempotency-replayed": "true" } });
    expect((await send(b, 5)).body).toHaveLength(500);
    expect((await send(a, 50)).body).toHaveLength(5_000);
    expect(await send(b, 50)).toMatchObject({ status: 409 });
    expect((await send(b, 50)).headers).not.toHaveProperty("retry-after");
    expect(handler).toHaveBeenCalledTimes(2);
    expect((await post(a, { long: "x".repeat(2_000) }, { "idempotency-key": "long" })).status).toBe(413);
  });

  it("scope: the same key of another tenant is another key", async () => {
    let count = 0;
    const [a, b] = await serve(() => ({ body: `${(count += 1)}` }), {
      scope: (request) => request.header("x-tenant") ?? "",
    });
    const of = (tenant: string): Record<string, string> => ({ "idempotency-key": "k", "x-tenant": tenant });
    const bodies = [];
    for (const [url, tenant] of [
      [a, "one"],
      [b, "two"],
      [b, "one"],
      [a, "two"],
    ] as const)
      bodies.push((await post(url, {}, of(tenant))).body);
    expect(bodies).toEqual(["1", "2", "1", "2"]);
  });

  it("a client that goes: the handler goes on, and its response is for the repeat", async () => {
    const { open, opened } = gate();
    const handler = vi.fn<OnceHandler>(async () => {
      await opened;
      return { body: "done" };
    });
    const [a, b] = await serve(handler, { wait: "30s" });
    const headers = { "idempotency-key": "k", "content-type": "application/json" };
    const leaving = http.request(a, { method: "POST", headers, agent: false });
    leaving.on("error", () => undefined);
    leaving.end("{}");
    await until("it runs", () => handler.mock.calls.length === 1);
    leaving.destroy();
    const repeat = post(b, {}, { "idempotency-key": "k" });
    open();
    expect(await repeat).toMatchObject({ body: "done", headers: { "idempotency-replayed": "true" } });
    expect(handler).toHaveBeenCalledOnce();
  });
});

describe.each(Object.keys(ONCE_FRAMEWORKS))("idempotent %s without a server", (framework) => {
  it("503 without a server, and the handler does not run", async () => {
    const server = await startStandalone();
    await using hf = await connect(server.url, { timeout: 200 });
    const handler = vi.fn<OnceHandler>(() => ({ body: "done" }));
    const served = await ONCE_FRAMEWORKS[framework]!(hf, handler);
    try {
      await server.stop();
      const reply = await post(served.url, {}, { "idempotency-key": "k" });
      expect(reply).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
      expect(handler).not.toHaveBeenCalled();
      expect((await post(served.url, {})).body).toBe("done");
    } finally {
      await served.close();
      await server.stop();
    }
  });
});

describe("idempotent: options", () => {
  let hf: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    hf = await connect();
  });
  afterAll(() => hf.close());

  it("refuses what it does not know", () => {
    for (const options of [
      { scopes: 1 },
      { scope: "x" },
      { methods: ["a b"] },
      { store: 1 },
      { maxBody: -1 },
      { ttl: "x" },
    ])
      expect(() => idempotent(hf, options as never)).toThrow(InvalidArgumentError);
  });
});
