// - each process asks the API ......................... "asks once for all"
// - what has not changed is sent again ................ "is not sent again"
// - an API that fails, or is gone, fails the callers ... "serves the last rates"
// - an unknown currency is asked for each time ......... "an unknown currency"
import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { ExchangeRates } from "./api-cache.ts";

describe.each(backends("standalone", "embedded"))("cookbook: API cache [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  let api: Server;
  let answers: number[];
  let rate: number;
  let isFailing: boolean;
  let here: ExchangeRates;
  let there: ExchangeRates;

  beforeAll(async () => {
    api = createServer((request, response) => {
      const etag = `"${rate}"`;
      const status = isFailing
        ? 503
        : request.url !== "/rates/EUR"
          ? 404
          : request.headers["if-none-match"] === etag
            ? 304
            : 200;
      answers.push(status);
      response.writeHead(status, { etag, "cache-control": "max-age=600", "content-type": "application/json" });
      response.end(status === 200 ? JSON.stringify({ USD: rate }) : undefined);
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const prefix = `cook-${randomUUID()}`;
    for (let at = 0; at < 2; at += 1) handles.push(await connect(url, { ...options, prefix }));
    here = new ExchangeRates(handles[0]!, base, "60s");
    there = new ExchangeRates(handles[1]!, base, "60s");
  });
  afterAll(async () => {
    await Promise.all(handles.map((hf) => hf.close()));
    api.closeAllConnections();
    await new Promise((resolve) => api.close(resolve));
  });
  beforeEach(async () => {
    [answers, rate, isFailing] = [[], 1.1, false];
    await here.rates.deleteMany(["EUR", "GBP", "XXX"]);
  });

  it("asks once for all, for as long as the API says", async () => {
    const all = await Promise.all([here, there, here, there].map((rates) => rates.of("EUR")));
    expect(all).toEqual(Array.from({ length: 4 }, () => ({ USD: 1.1 })));
    expect(answers).toEqual([200]);
  });

  it("what has not changed is not sent again, and what has is", async () => {
    await here.of("EUR");
    await here.rates.expire("EUR");
    expect(await there.of("EUR")).toEqual({ USD: 1.1 });
    expect(answers).toEqual([200, 304]);
    await there.of("EUR");
    expect(answers).toHaveLength(2);
    rate = 1.2;
    await here.rates.expire("EUR");
    expect(await there.of("EUR")).toEqual({ USD: 1.2 });
    expect(answers).toEqual([200, 304, 200]);
  });

  it("serves the last rates while the API fails, and asks it once meanwhile", async () => {
    await here.of("EUR");
    await here.rates.expire("EUR");
    isFailing = true;
    for (const rates of [here, there, here]) expect(await rates.of("EUR")).toEqual({ USD: 1.1 });
    expect(answers).toEqual([200, 503]);
    await expect(here.of("GBP")).rejects.toThrow("answered with 503");
  });

  it("an unknown currency is asked for once", async () => {
    expect(await here.of("XXX")).toBeUndefined();
    expect(await there.of("XXX")).toBeUndefined();
    expect(answers).toEqual([404]);
  });
});
