/**
 * How far an addition has come: to replicas, and to disk. Asked for with WAIT or WAITAOF, which count what the server has sent on up to the
 * last write of the connection that asks. So a connection of its own first writes to the mark that the addition has left (PEXPIRE): where that is
 * gone, as after a failover that has lost it, there is nothing to wait for; else whoever has this write has the addition.
 */
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toTimerMs, wholeBetween } from "../base/options.ts";
import type { Driver, Lease } from "../driver/port.ts";

export interface QueueDurability {
  /** Replicas that must have the job, in memory or, with `aof`, on disk. @default 0 */
  readonly replicas?: number;
  /** Whether the primary must have it on disk. Redis 7.2 or Valkey, with `appendonly yes`. @default false */
  readonly aof?: boolean;
  /** How long is waited for it. @default "1s" */
  readonly timeout?: Duration;
}

/** What was reached in time. The job was added in any case. */
export interface QueueDurabilityResult {
  /** `short`: less than was asked for, or it could not be learned. */
  readonly status: "ok" | "short";
  /** Replicas that have the job. */
  readonly replicas: number;
  /** Whether the primary has it on disk; false also where that was not asked. */
  readonly aof: boolean;
}

export interface DurabilitySettings {
  readonly replicas: number;
  readonly aof: boolean;
  readonly timeoutMs: number;
}

const OPTIONS: OptionNames<QueueDurability> = { replicas: true, aof: true, timeout: true };
const OP = "queue.add";

export function durabilitySettings(given: QueueDurability): DurabilitySettings {
  const { replicas = 0, aof = false, timeout = "1s" } = givenOptions(given, OPTIONS, "durability");
  if (typeof aof !== "boolean") throw new InvalidArgumentError("durability.aof", "a boolean", aof);
  const least = aof ? 0 : 1;
  return {
    replicas: wholeBetween("durability.replicas", replicas, least, 100),
    aof,
    timeoutMs: toTimerMs("durability.timeout", timeout, 1),
  };
}

/** Before anything is added. @throws HoldfastError `UNSUPPORTED` */
export function checkDurability({ caps }: Driver, { aof }: DurabilitySettings): void {
  if (!aof || caps.engine !== "redis" || !/^7\.[01]\./.test(caps.version)) return;
  const message = `durability.aof needs Redis 7.2 or Valkey (WAITAOF); this is Redis ${caps.version}, where only \`replicas\` can be asked for`;
  throw new HoldfastError("UNSUPPORTED", message, { op: OP });
}

/** @param mark a key that the addition has written */
export async function waitForDurability(
  driver: Driver,
  mark: string,
  markTtlMs: number,
  wanted: DurabilitySettings,
): Promise<QueueDurabilityResult> {
  const call = { op: OP, class: "read", key: mark, timeoutMs: wanted.timeoutMs + driver.timeoutMs } as const;
  let lease: Lease | undefined;
  try {
    lease = await driver.lease(mark, call);
    const isThere = await lease.send(["PEXPIRE", mark, String(markTtlMs)], call);
    if (isThere !== 1) return { status: "short", replicas: 0, aof: false };
    const { replicas, timeoutMs } = wanted;
    const [onDisk, copies] = wanted.aof
      ? ((await lease.send(["WAITAOF", "1", String(replicas), String(timeoutMs)], call)) as unknown[])
      : [0, await lease.send(["WAIT", String(replicas), String(timeoutMs)], call)];
    const [reached, aof] = [Number(copies), Number(onDisk) === 1];
    const isEnough = reached >= replicas && (aof || !wanted.aof);
    return { status: isEnough ? "ok" : "short", replicas: reached, aof };
  } catch {
    // The job is added: an error here would say that it is not.
    return { status: "short", replicas: 0, aof: false };
  } finally {
    lease?.release();
  }
}
