/**
 * A queue with very many jobs beside one with few: what the server's scripts take per job, and which of them were in its slow log. The log
 * counts the time that passes, also while the server has no processor: a single entry among thousands of calls may be the machine's.
 */
import { connect } from "holdfast";
import type { BenchServer } from "../suite.ts";
import { type Payload, PHASES } from "./scale-phases.ts";
import { ScriptMeter, type SlowScript } from "./script-meter.ts";

const SMALL = 2_000;

export interface ScaleRow {
  readonly case: string;
  /** Jobs, or schedules. */
  readonly size: number;
  /** Microseconds of the server's scripts per job, and the same in a small queue. */
  readonly micros: number;
  readonly smallMicros: number;
  readonly ratio: number;
  readonly slow: readonly SlowScript[];
}

/** @param emit is given each row as soon as it is measured, so that a run that ends early says where it was */
export async function measureScale(
  server: BenchServer,
  { jobs, text, emit }: { readonly jobs: number; readonly text: string; readonly emit: (row: ScaleRow) => void },
): Promise<void> {
  await using meter = await ScriptMeter.start(server);
  await using hf = await connect(server.url, { timeout: "60s" });
  for (const [name, phase] of Object.entries(PHASES)) {
    if (!name.includes(text)) continue;
    const small = new Map<string, number>();
    // The first one warms up: it makes the scripts known.
    for (const size of [SMALL, SMALL, jobs]) {
      await server.empty();
      const queue = hf.queue<Payload>(`scale-${name}`, { attempts: 1 });
      await phase(queue, size, async (what, count, work) => {
        const { micros, slow } = await meter.measure(work);
        const perJob = micros / count;
        if (size < jobs) return void small.set(what, perJob);
        const smallMicros = small.get(what)!;
        emit({
          case: `${name}: ${what}`,
          size: count,
          micros: perJob,
          smallMicros,
          ratio: perJob / smallMicros,
          slow,
        });
      });
    }
  }
}
