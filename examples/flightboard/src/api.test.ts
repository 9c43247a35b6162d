/**
 * The API's doors, over real HTTP.
 *
 * What could go wrong, and the test for each:
 * - a page elsewhere reaches it by a name of its own (DNS rebinding) .. "answers to this machine's own names only"
 * - one client takes every place in the live stream ................... "gives one client a dozen streams ..."
 * - bad input counts as a fault of the program ........................ "refuses with %i: %s"
 */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, type RunningDemo, startDemo } from "./testing/demo.ts";

const MINUTES = 60_000;

describe("the API", { timeout: MINUTES }, () => {
  let demo: RunningDemo;
  beforeAll(async () => {
    await build();
    demo = await startDemo("--flights=100");
  }, 5 * MINUTES);
  afterAll(() => demo?.[Symbol.asyncDispose]());

  it("answers to this machine's own names only", async () => {
    const { port } = new URL(demo.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST`, `[::1]:${port}`])
      expect(await statusFor(demo.url, host)).toBe(200);
    for (const host of [`evil.example:${port}`, "evil.example", "127.0.0.1.evil.example", `10.0.0.1:${port}`])
      expect(await statusFor(demo.url, host)).toBe(421);
  });

  it("gives one client a dozen streams, and another one when it closes one", async () => {
    const open = (): Promise<Response> => fetch(`${demo.url}/api/events`);
    const streams = await Promise.all(Array.from({ length: 12 }, open));
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    const refused = await open();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ status: 429 });

    await streams.pop()?.body?.cancel();
    await expect.poll(async () => (await open()).status).toBe(200);
    await Promise.all(streams.map(async (stream) => stream.body?.cancel()));
  });

  const post = (body: string | Uint8Array<ArrayBuffer>): RequestInit => ({ method: "POST", body });
  it.each<[number, string, string, RequestInit]>([
    [400, "no JSON", "/api/session", post("{")],
    [400, "JSON that is no object", "/api/session", post("null")],
    [400, "an empty body", "/api/kill", post("")],
    [400, "bytes that are no text", "/api/session", post(new Uint8Array([0xff, 0xfe]))],
    [400, "a code that is no airport's", "/api/airports/%E0%A4%A", {}],
    [400, "a code that is no airport's, live", "/api/airports/TOOLONG/live", {}],
    [400, "a code that is no airport's, nearest", `/api/airports/${"A".repeat(5_000)}/nearest`, {}],
    [400, "a route that is none", "/api/routes/AT/LAX", {}],
    [400, "a tag that is none", "/api/search?all=%00", {}],
    [400, "more tags than anybody asks for", `/api/search?all=${"hub,".repeat(50)}`, {}],
    [404, "an airport that is not there", "/api/airports/QQQ", {}],
    [413, "a body that is too long", "/api/session", post(JSON.stringify({ user: "x".repeat(10_000) }))],
    [422, "a user that is none", "/api/session", post(`{"user":"__proto__"}`)],
    [422, "a process that is none", "/api/kill", post(`{"process":"launcher"}`)],
  ])("refuses with %i: %s", async (status, _what, path, init) => {
    const response = await fetch(`${demo.url}${path}`, init);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status });
  });

  it("refuses a body of unknown length once it is too long", async () => {
    const body = new Blob([new Uint8Array(16_384)]).stream();
    const response = await fetch(`${demo.url}/api/session`, { method: "POST", body, duplex: "half" });
    expect(response.status).toBe(413);
  });

  it("takes a cookie that is no session's for none", async () => {
    const response = await fetch(`${demo.url}/api/session`, { headers: { cookie: "flightboard=%00%ff{}" } });
    expect(await response.json()).toMatchObject({ user: null });
  });
});

/** fetch does not let a program choose the Host. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject).end();
  });
}
