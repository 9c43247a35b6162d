/**
 * What somebody might write: a lock by SET NX PX whose holder shows no fence, a semaphore by INCR, a read-write lock by two keys, an election
 * by SET NX without a term. All of them believe that they hold until they release, and the suite must say so.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Holdfast } from "holdfast";
import { type CoordinationConfig, PERMITS } from "./entry.ts";
import type { Acquire, Held, Subject } from "./subject.ts";

const POLL_MS = 10;
const WAIT_MS = 4_000;

export function openByHand(hf: Holdfast, { prefix, ttlMs }: CoordinationConfig): Subject {
  const ttl = String(ttlMs);
  const held = (undo: () => Promise<unknown>): Held => {
    const until = performance.now() + ttlMs;
    return {
      held: true,
      get remainingMs() {
        return Math.max(until - performance.now(), 0);
      },
      signal: { aborted: false },
      release: () => undo().then(() => ({ status: "ok" })),
    };
  };
  /** Only who has set it removes it: that much is known to everybody. */
  const exclusive = async (key: string): Promise<Held | undefined> => {
    const token = randomUUID();
    if ((await hf.command("SET", key, token, "NX", "PX", ttl)) === null) return undefined;
    return held(async () => String(await hf.command("GET", key)) === token && hf.command("DEL", key));
  };
  const alone: Acquire = (name) => polled(() => exclusive(`${prefix}:{${name}}`));
  return {
    lock: alone,
    election: alone,
    semaphore: (name, { weight = 1 }) =>
      polled(async () => {
        const key = `${prefix}:{${name}}`;
        const leave = (): Promise<unknown> => hf.command("DECRBY", key, String(weight));
        const count = Number(await hf.command("INCRBY", key, String(weight)));
        if (count > PERMITS) return void (await leave());
        // So that one who dies does not keep his permits for ever.
        if (count === weight) await hf.command("PEXPIRE", key, ttl);
        return held(leave);
      }),
    rwlock: (name, { mode }) =>
      polled(async () => {
        const [readers, writer] = [`${prefix}:{${name}}:readers`, `${prefix}:{${name}}:writer`];
        if (mode !== "write") {
          if ((await hf.command("GET", writer)) !== null) return undefined;
          if (Number(await hf.command("INCR", readers)) === 1) await hf.command("PEXPIRE", readers, ttl);
          return held(() => hf.command("DECR", readers));
        }
        const writing = await exclusive(writer);
        if (writing === undefined) return undefined;
        if (Number(await hf.command("GET", readers)) <= 0) return writing;
        await writing.release();
        return undefined;
      }),
  };
}

async function polled(attempt: () => Promise<Held | undefined>): Promise<Held> {
  for (const until = performance.now() + WAIT_MS; performance.now() < until; await sleep(POLL_MS)) {
    const got = await attempt();
    if (got !== undefined) return got;
  }
  throw new Error("busy");
}
