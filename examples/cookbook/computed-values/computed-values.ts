/**
 * Sales of a region and month: a report that takes long to compute and that many look at. It is computed once for the fleet, again in the background before it is
 * an hour old, so that nobody waits for one that is looked at all the time, and at once where an order has changed it.
 */
import type { Cached, Duration, Holdfast } from "holdfast";

export interface Order {
  readonly region: string;
  readonly month: string;
  readonly cents: number;
}

export interface Report {
  readonly orders: number;
  readonly cents: number;
  readonly computed: Date;
}

export interface Sales {
  /** As of `ttl` ago at most; after `added` of that region. */
  readonly report: Cached<[region: string, month: string], Report>;
  /** To be called when an order has been stored: whoever asks from then on gets a report with it. */
  added(order: Order): Promise<void>;
}

/** @param load reads all orders of a month, from the database */
export function sales(hf: Holdfast, load: (month: string) => Promise<readonly Order[]>, ttl: Duration = "1h"): Sales {
  const compute = async (region: string, month: string): Promise<Report> => {
    const orders = (await load(month)).filter((order) => order.region === region);
    return { orders: orders.length, cents: orders.reduce((sum, { cents }) => sum + cents, 0), computed: new Date() };
  };
  const report = hf.cached(compute, {
    name: "sales",
    ttl,
    // A report that is read after four fifths of its time is computed again, by one process, and nobody waits for that.
    refreshAhead: 0.8,
    // A database that is away, or slow, leaves the last report for a day.
    grace: "1d",
    softTimeout: "2s",
    // A month of a large region takes long, and few of them at once are enough for the database.
    loadTimeout: "2m",
    maxLoads: 4,
    // `computed` is a Date, and comes back as one.
    serializer: "structured",
    tags: (region, month) => [`region:${region}`, `month:${month}`],
  });
  return {
    report,
    added: ({ region }) => report.cache.invalidate({ tags: [`region:${region}`] }),
  };
}
