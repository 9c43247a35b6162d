/** Whether what was answered is on all replicas: no failover takes it back then. */
import type { Holdfast } from "holdfast";

const TIMEOUT_MS = 3_000;

/**
 * WAIT speaks only of what its own connection has written, and a new primary only of itself: a mark is written after what is to be confirmed, and
 * the history of the server must be the same as before it.
 * @param key in the slot of what was written
 */
export async function isReplicated(hf: Holdfast, key: string, replicas: number, before: string): Promise<boolean> {
  const send = (...args: string[]): Promise<unknown> =>
    hf.driver.send(args, { op: "confirm", class: "unsafe", timeoutMs: TIMEOUT_MS }, key);
  try {
    const [, reached] = await Promise.all([
      send("SET", `${key}:mark`, "1", "PX", "1000"),
      send("WAIT", String(replicas), "1000"),
    ]);
    return Number(reached) >= replicas && (await historyOf(hf, key)) === before;
  } catch {
    return false;
  }
}

/** The server's replication id: another one after each promotion. Empty where it is not known. */
export async function historyOf(hf: Holdfast, key: string): Promise<string> {
  try {
    const call = { op: "history", class: "read", timeoutMs: TIMEOUT_MS } as const;
    const info = await hf.driver.send(["INFO", "replication"], call, key);
    return /master_replid:(\w+)/.exec(String(info))?.[1] ?? "";
  } catch {
    return "";
  }
}
