/** What must be true of every key in the end. */
import type { Holdfast } from "holdfast";

/** Of a bounded size, and kept on purpose: what a queue has done in all. */
const KEPT = /\}:totals$/;

/** Nothing is over and nobody works: what is stored still must expire by itself. */
export async function leftBehind(hf: Holdfast): Promise<readonly string[]> {
  const left: string[] = [];
  for await (const keys of hf.scan()) {
    for (const key of keys) {
      if (KEPT.test(key)) continue;
      const ttl = Number(await hf.command("PTTL", key));
      if (ttl === -1)
        left.push(`left behind: ${key.replace(/^[^:]*:/, "")} (${String(await hf.command("TYPE", key))})`);
    }
  }
  return left.sort().slice(0, 5);
}
