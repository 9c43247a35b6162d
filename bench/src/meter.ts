/** What a server and the processes of its clients use from here on, for each of so many items. */
import type { BenchServer } from "./suite.ts";

/** Figures of one run of one package. */
export interface MeasuredFigures {
  /** Items per second; of a latency: milliseconds. */
  readonly value: number;
  /** Microseconds per item of the clients' CPU, all processes. */
  readonly cpuMicros?: number;
  /** Microseconds per item of the server's CPU. */
  readonly serverMicros?: number;
  /** The part of them that its scripts took, by its own count. */
  readonly scriptMicros?: number;
  /** Of an item that waits. */
  readonly bytes?: number;
}

export interface Metered {
  /** Microseconds of its CPU so far. */
  cpu(): Promise<number>;
}

export class Meter {
  readonly #server: BenchServer;
  readonly #items: number;
  readonly #processes: readonly Metered[];
  #cpuBefore = 0;
  #before = { cpuMicros: 0, scriptMicros: 0, bytes: 0 };

  private constructor(server: BenchServer, items: number, processes: readonly Metered[]) {
    this.#server = server;
    this.#items = items;
    this.#processes = processes;
  }

  static async start(server: BenchServer, items: number, processes: readonly Metered[]): Promise<Meter> {
    const meter = new Meter(server, items, processes);
    meter.#cpuBefore = await meter.#cpu();
    meter.#before = await server.usage();
    return meter;
  }

  async read(ms: number, waiting = false): Promise<MeasuredFigures> {
    const { cpuMicros, scriptMicros, bytes } = await this.#server.usage();
    const perItem = (after: number, before: number): number => (after - before) / this.#items;
    return {
      value: (this.#items / ms) * 1000,
      cpuMicros: perItem(await this.#cpu(), this.#cpuBefore),
      serverMicros: perItem(cpuMicros, this.#before.cpuMicros),
      scriptMicros: perItem(scriptMicros, this.#before.scriptMicros),
      ...(waiting ? { bytes: perItem(bytes, this.#before.bytes) } : {}),
    };
  }

  async #cpu(): Promise<number> {
    const each = await Promise.all(this.#processes.map((one) => one.cpu()));
    return each.reduce((sum, micros) => sum + micros, 0);
  }
}
