/** How many of a URL's variants this process has stored, so that a field which differs with every request fills nothing. */
import { LRUCache } from "lru-cache";

const MAX_URLS = 10_000;

export class Variants {
  readonly #max: number;
  /** By the nonce of a list of fields: until when each variant is kept. */
  readonly #stored = new LRUCache<string, Map<string, number>>({ max: MAX_URLS });

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether this one may be stored; if so it counts until then. */
  take(nonce: string, variant: string, now: number, until: number): boolean {
    const stored = this.#stored.get(nonce) ?? new Map<string, number>();
    if (!stored.has(variant) && stored.size >= this.#max) {
      for (const [each, end] of stored) if (end <= now) stored.delete(each);
      if (stored.size >= this.#max) return false;
    }
    stored.set(variant, until);
    this.#stored.set(nonce, stored);
    return true;
  }
}
