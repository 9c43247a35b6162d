/**
 * How often airports were looked at: counted on the server, and written behind to a file of JSON lines, which stands for a table here: the
 * database inside this process ends with it.
 *
 * The counter is what counts. A write says that a row is behind, and is accepted on the server, so it outlives a kill -9 of this process; the one
 * who writes takes the counter's value of that moment. Looks only grow, so of several lines the largest is the newest.
 */
import { appendFile, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Counter, Holdfast } from "holdfast";
import type { Options } from "../options.ts";

export interface Looks {
  /** Counts a look; returns how many there are now. */
  add(code: string): Promise<number>;
  /** Airports that the file has yet to have. */
  waiting(): Promise<number>;
}

/** Of this run alone; the launcher removes it. */
export function looksFile({ prefix }: Pick<Options, "prefix">): string {
  return join(tmpdir(), `${prefix}-looks.jsonl`);
}

export function openLooks(hf: Holdfast, counter: Counter, file: string): Looks {
  const rows = hf.cache<number>("looks", {
    writer: {
      mode: "behind",
      writeTimeout: "1s",
      claim: "3s",
      write: async (entries) => appendRows(file, await counter.getMany(entries.map(({ id }) => id))),
    },
  });
  return {
    async add(code) {
      const { value } = await counter.increment(code);
      await rows.write(code, value);
      return value;
    },
    waiting: async () => (await rows.writer.lag()).count,
  };
}

/** The newest of each airport. A line cut short by a kill is none: its write was not acknowledged and comes again. */
export async function readLooks(file: string): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  const text = await readFile(file, "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    const [, code, looks] = /^\{"code":"(\w+)","looks":(\d+)\}$/.exec(line) ?? [];
    if (code !== undefined) rows.set(code, Math.max(rows.get(code) ?? 0, Number(looks)));
  }
  return rows;
}

/** Begins with a line break: what is before may have been cut short. */
async function appendRows(file: string, looks: ReadonlyMap<string | number, number>): Promise<void> {
  await appendFile(file, [...looks].map(([code, count]) => `\n${JSON.stringify({ code, looks: count })}\n`).join(""));
}
