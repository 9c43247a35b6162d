/**
 * Exchange rates of somebody else's API, which allows few requests and is down now and then. It is asked once a minute by one process for all; what has not changed
 * is not sent again (ETag, 304); and while it fails, the last rates are served on for a day.
 */
import type { Cache, Duration, Holdfast } from "holdfast";

export type Rates = Readonly<Record<string, number>>;

export class ExchangeRates {
  readonly rates: Cache<Rates>;
  readonly #base: string;

  /** @param patience how long a caller waits for the API while there are older rates, which it gets then; the API's answer is for the next ones */
  constructor(hf: Holdfast, base: string, patience: Duration = "1s") {
    this.#base = base;
    this.rates = hf.cache<Rates>("rates", {
      ttl: "1m",
      grace: "1d",
      softTimeout: patience,
      loadTimeout: "10s",
      graceBackoff: "15s",
      // An unknown currency is remembered as well, so that it costs no request each time.
      negativeTtl: "1m",
    });
  }

  /** Rates of a currency, undefined where the API knows none. Rejects only if it fails and there are no rates of the last day. */
  of(currency: string): Promise<Rates | undefined> {
    return this.rates.getOrSet<Rates | undefined>(currency, async (context) => {
      const { etag, signal } = context;
      const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
      const response = await fetch(`${this.#base}/rates/${encodeURIComponent(currency)}`, { headers, signal });
      if (response.status === 304) return context.notModified();
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`the API of rates answered with ${response.status}`);
      context.etag = response.headers.get("etag") ?? undefined;
      // The API says itself for how long, if it does.
      const maxAge = /max-age=(\d+)/.exec(response.headers.get("cache-control") ?? "")?.[1];
      if (maxAge !== undefined && Number(maxAge) > 0) context.ttl = Number(maxAge) * 1_000;
      return (await response.json()) as Rates;
    });
  }
}
