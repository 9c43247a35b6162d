// - each process renders the page ..................... "renders a page, and a fragment, once"
// - a customer's page reaches another ................. "a customer's page is theirs"
// - a page shows an old price after the change ........ "shows a new price on every page"
// - a page that is made while a product changes is old .. "while a product changes"
// - other pages are gone as well ...................... the same
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type Product, type Shop, shop } from "./page-cache.ts";

describe.each(backends("standalone", "embedded"))("cookbook: page cache [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  let products: Map<string, Product>;
  let reads: string[];
  let here: Shop;
  let there: Shop;
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    for (let at = 0; at < 2; at += 1) handles.push(await connect(url, { ...options, prefix }));
    const find = async (sku: string): Promise<Product | undefined> => {
      reads.push(sku);
      return products.get(sku);
    };
    here = shop(handles[0]!, find);
    there = shop(handles[1]!, find);
  });
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));
  beforeEach(async () => {
    products = new Map([
      ["a", { name: "Anchor", cents: 1_000 }],
      ["b", { name: "Buoy", cents: 500 }],
    ]);
    await Promise.all([here.changed("a"), here.changed("b")]);
    reads = [];
  });

  const page = async ({ fetch }: Shop, query: string, headers: Record<string, string> = {}): Promise<string> =>
    (await fetch(new Request(`https://shop.test/?${query}`, { headers }))).text();

  it("renders a page, and a fragment, once for all processes", async () => {
    const shown = await Promise.all([here, there, here, there].map((each) => page(each, "sku=a&sku=b")));
    expect(new Set(shown)).toEqual(new Set(["<h1>Shop</h1><p>Anchor: 10.00</p><p>Buoy: 5.00</p>"]));
    expect(reads.toSorted()).toEqual(["a", "b"]);
    expect(await page(here, "sku=b")).toBe("<h1>Shop</h1><p>Buoy: 5.00</p>");
    expect(reads).toHaveLength(2);
  });

  it("a customer's page is theirs, and made of the same fragments", async () => {
    await page(here, "sku=a");
    expect(await page(there, "sku=a", { "x-customer": "Ada" })).toBe("<h1>Hello Ada</h1><p>Anchor: 10.00</p>");
    expect(await page(here, "sku=a", { "x-customer": "Grace" })).toBe("<h1>Hello Grace</h1><p>Anchor: 10.00</p>");
    expect(await page(there, "sku=a")).toBe("<h1>Shop</h1><p>Anchor: 10.00</p>");
    expect(reads).toEqual(["a"]);
  });

  it("a page that is asked for while a product changes is not old afterwards", async () => {
    const [hf, find] = [handles[0]!, async (sku: string) => products.get(sku)];
    let during = async (): Promise<void> => undefined;
    // Whatever comes first of what `changed` does, somebody asks between the one and the other.
    const cached = (...args: Parameters<Holdfast["cached"]>) => {
      const fragment = hf.cached(...args);
      const invalidate = fragment.cache.invalidate.bind(fragment.cache);
      fragment.cache.invalidate = async (options) => {
        await during();
        await invalidate(options);
        await during();
      };
      return fragment;
    };
    const get = (target: Holdfast, name: keyof Holdfast): unknown => {
      const value: unknown = name === "cached" ? cached : target[name];
      return typeof value === "function" ? value.bind(target) : value;
    };
    const changing = shop(new Proxy(hf, { get: get as never }), find);
    await page(there, "sku=a&sku=b");
    products.set("a", { name: "Anchor", cents: 900 });
    during = async () => void (await page(there, "sku=a&sku=b"));
    await changing.changed("a");
    expect(await page(there, "sku=a&sku=b")).toContain("9.00");
  });

  it("shows a new price on every page with that product, and leaves the others alone", async () => {
    await Promise.all([page(here, "sku=a"), page(here, "sku=b")]);
    products.set("a", { name: "Anchor", cents: 900 });
    await there.changed("a");
    expect(await page(here, "sku=a")).toContain("9.00");
    expect(await page(there, "sku=a&sku=b")).toContain("9.00");
    expect(await page(here, "sku=a", { "x-customer": "Ada" })).toContain("9.00");
    expect(await page(here, "sku=b")).toContain("5.00");
    expect(reads.toSorted()).toEqual(["a", "a", "b"]);
  });
});
