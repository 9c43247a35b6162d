// What could go wrong, and the test for each:
// - a question is answered by several processes ......... "one of the price services answers"
// - the page waits for a service that is not there ...... "shows the list price where nobody answers"
// - the service works for a page that is gone ........... "stops where it takes too long"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type Price, type PriceQuestion, priceOf, servePrices } from "./price-request.ts";

describe.each(backends("standalone", "embedded"))("cookbook: price request [$name]", ({ url, options }) => {
  let shop: Holdfast;
  let services: Holdfast[];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    [shop, ...services] = (await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })))) as [
      Holdfast,
      ...Holdfast[],
    ];
  });
  afterAll(() => Promise.all([shop, ...services].map((each) => each.close())));

  it("one of the price services answers; an unknown article is refused", async () => {
    let asked = 0;
    const reckon = async ({ article, quantity }: PriceQuestion): Promise<Price | undefined> => {
      asked += 1;
      return article === "lamp" ? { cents: 1_900 * quantity } : undefined;
    };
    const responders = await Promise.all(services.map((service) => servePrices(service, reckon)));
    const lamps = { article: "lamp", quantity: 2 };
    expect(await priceOf(shop, lamps, 2_000)).toEqual({ cents: 3_800, from: "price service" });
    expect(asked).toBe(1);
    expect(await priceOf(shop, { article: "unicorn", quantity: 1 }, 1)).toEqual({
      refused: "there is no article unicorn",
    });
    await Promise.all(responders.map((each) => each.close()));
  });

  it("shows the list price where nobody answers", async () => {
    expect(await priceOf(shop, { article: "lamp", quantity: 2 }, 2_000)).toEqual({ cents: 4_000, from: "list" });
  });

  it("stops where it takes too long, and the page has the list price", async () => {
    let stopped!: () => void;
    const isStopped = new Promise<void>((resolve) => (stopped = resolve));
    const forever = (_: PriceQuestion, signal: AbortSignal): Promise<undefined> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          stopped();
          reject(signal.reason as Error);
        });
      });
    await using _responder = await servePrices(services[0]!, forever);
    expect(await priceOf(shop, { article: "lamp", quantity: 1 }, 2_000)).toEqual({ cents: 2_000, from: "list" });
    await isStopped;
  });
});
