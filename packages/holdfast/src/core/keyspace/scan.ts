/** Walks the keys of the whole deployment: SCAN on every primary, in pages, never KEYS. */
import type { Call, Driver, Reply } from "../../driver/port.ts";
import { checkSignal } from "../../base/abort.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type OptionNames, parseOptions, wholeBetween } from "../../base/options.ts";

export interface ScanOptions {
  /** Roughly how many keys the server looks at per step, 1 to 10000. @default 500 */
  readonly count?: number;
  readonly signal?: AbortSignal;
}

const NAMES: OptionNames<ScanOptions> = { count: true, signal: true };

/** In one step the server serves nobody else: some milliseconds. */
const MAX_COUNT = 10_000;

/**
 * Yields pages of full key names that begin with `start`. A key that is there for the whole walk, on one node, is yielded at
 * least once, and maybe twice. One that moves to another node in between, with its slot or in a failover, may be missed.
 * Cost: one SCAN per page and primary.
 */
export async function* scanKeys(driver: Driver, start: string, options?: ScanOptions): AsyncGenerator<string[]> {
  const { head, count, signal } = parseOptions("scan", options, NAMES, (given) => ({
    head: checkHead(start),
    count: wholeBetween("count", given.count ?? 500, 1, MAX_COUNT),
    signal: checkSignal(given.signal),
  }));
  const call: Call = { op: "scan", class: "read", signal };
  const tail = ["MATCH", `${escapeGlob(head)}*`, "COUNT", String(count)];
  // A handle that is still connecting knows no node yet.
  if (driver.nodes().length === 0) await driver.send(["PING"], call);
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

function checkHead(head: unknown): string {
  if (typeof head === "string") return head;
  throw new InvalidArgumentError("head", "the beginning of the keys' names, such as cache:users:", head);
}

/** Makes any text match only itself in a glob pattern of SCAN or PSUBSCRIBE. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, "\\$&");
}
