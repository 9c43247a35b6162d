/**
 * Metrics of a service without a metrics server: every process counts and measures, and one page shows the last hour of all of them as
 * lines of blocks. Latencies keep their percentiles for a year in a minute's roll-up; requests are a counter that begins again with each
 * process, and are read as a rate.
 */
import type { Holdfast, SeriesBucket } from "holdfast";

export interface Measured {
  readonly route: string;
  readonly host: string;
  readonly region: string;
  readonly milliseconds: number;
  readonly at?: number;
}

export interface Line {
  readonly title: string;
  readonly chart: string;
  readonly newest: number | undefined;
}

export class ServiceMetrics {
  readonly #latency;
  readonly #requests;
  /** Of this process, since it began. */
  readonly #served = new Map<string, number>();

  constructor(hf: Holdfast) {
    this.#latency = hf.series("latency", {
      keep: "7d",
      duplicates: "max",
      rollups: [{ every: "1m", percentiles: true }],
    });
    this.#requests = hf.series("requests", { keep: "7d", rollups: ["1m"] });
  }

  async measured({ route, host, region, milliseconds, at }: Measured): Promise<void> {
    const served = (this.#served.get(route) ?? 0) + 1;
    this.#served.set(route, served);
    const options = { labels: { route, host, region }, ...(at !== undefined && { at }) };
    await Promise.all([
      this.#latency.add(`${route}@${host}`, milliseconds, options),
      this.#requests.add(`${route}@${host}`, served, options),
    ]);
  }

  /** The last hour, minute by minute: the worst host's p99 of a route, and requests a second of each region. */
  async page(route: string, to: number): Promise<Line[]> {
    const span = { to, last: "1h", every: "1m", where: { route } } as const;
    const [worst, rates] = await Promise.all([
      this.#latency.rangeMany({ ...span, aggregate: "p99", reduce: "max" }),
      this.#requests.rangeMany({ ...span, aggregate: "rate", groupBy: "region", reduce: "sum" }),
    ]);
    return [
      ...[...worst.values()].map((all) =>
        line(
          `${route} p99 ms`,
          all.map(({ p99 }) => p99),
        ),
      ),
      ...[...rates].map(([region, all]: [string, SeriesBucket<"rate">[]]) =>
        line(
          `${route} requests/s in ${region}`,
          all.map(({ rate }) => rate),
        ),
      ),
    ];
  }
}

const BLOCKS = "▁▂▃▄▅▆▇█";

function line(title: string, values: readonly (number | undefined)[]): Line {
  const max = Math.max(...values.map((value) => value ?? 0));
  const block = (value: number | undefined): string =>
    value === undefined ? " " : BLOCKS[Math.round((value / (max || 1)) * (BLOCKS.length - 1))]!;
  return { title, chart: values.map(block).join(""), newest: values.at(-1) };
}
