/**
 * A shop's pages: a visitor gets a whole page that was rendered once for the fleet; a customer gets a page of their own, whose fragments were. Both are gone once
 * a product has changed, however many pages show it.
 *
 * A page says itself that it may be cached, and which products it shows (`Cache-Tag`). A fragment is a function whose results are cached.
 */
import type { Holdfast } from "holdfast";
import { httpCache } from "holdfast/fetch";

export interface Product {
  readonly name: string;
  readonly cents: number;
}

export interface Shop {
  readonly fetch: (request: Request) => Promise<Response>;
  /** To be called when a product has changed in the database: whoever asks from then on sees it. */
  changed(sku: string): Promise<void>;
}

export function shop(hf: Holdfast, find: (sku: string) => Promise<Product | undefined>): Shop {
  const fragment = hf.cached(
    async (sku: string): Promise<string> => {
      const product = await find(sku);
      return product === undefined ? "" : `<p>${product.name}: ${(product.cents / 100).toFixed(2)}</p>`;
    },
    { name: "fragments", ttl: "1h", grace: "1d", tags: (sku) => [tagOf(sku)] },
  );

  const render = async (request: Request): Promise<Response> => {
    const skus = new URL(request.url).searchParams.getAll("sku");
    const parts = await Promise.all(skus.map((sku) => fragment(sku)));
    const customer = request.headers.get("x-customer");
    const headers = {
      "content-type": "text/html; charset=utf-8",
      // The customer's name is for nobody else, and no other page is theirs.
      vary: "x-customer",
      "cache-control": customer === null ? "s-maxage=600, stale-if-error=86400" : "private",
      "cache-tag": skus.map(tagOf).join(","),
    };
    return new Response(`<h1>${customer === null ? "Shop" : `Hello ${customer}`}</h1>${parts.join("")}`, { headers });
  };
  const pages = httpCache(hf, { name: "pages" });

  return {
    fetch: pages(render),
    async changed(sku) {
      const tags = [tagOf(sku)];
      // First what pages are made of: a page that was purged before might be made again of an old fragment.
      await fragment.cache.invalidate({ tags });
      await pages.purge({ tags });
    },
  };
}

function tagOf(sku: string): string {
  return `product-${sku}`;
}
