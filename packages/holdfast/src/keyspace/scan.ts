/** Walks the keys of the whole deployment: SCAN on every primary, in pages, never KEYS. */
import type { Call, Driver, Reply } from "../driver/port.ts";

export interface ScanOptions {
  /** Roughly how many keys the server looks at per step. @default 500 */
  readonly count?: number;
  readonly signal?: AbortSignal;
}

/**
 * Yields pages of full key names that begin with `head`. A key present for the whole walk is yielded at least once;
 * while slots migrate, or after a failover, it may be yielded twice. Cost: one SCAN per page and primary.
 */
export async function* scanKeys(driver: Driver, head: string, options: ScanOptions = {}): AsyncGenerator<string[]> {
  const call: Call = { op: "scan", class: "read", signal: options.signal };
  const tail = ["MATCH", `${escapeGlob(head)}*`, "COUNT", String(options.count ?? 500)];
  for (const node of driver.nodes()) {
    let cursor = "0";
    do {
      const page = await driver.send(["SCAN", cursor, ...tail], call, { node: node.id });
      const [next, keys] = page as [Buffer, Reply[]];
      cursor = next.toString();
      if (keys.length > 0) yield keys.map(String);
    } while (cursor !== "0");
  }
}

/** Makes any text match only itself in a glob pattern of SCAN or PSUBSCRIBE. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, "\\$&");
}
