/**
 * A job as it lies on the server: `<added, 13 digits><lane, 1 digit><what it was added with, JSON>\n<payload>`. The time is
 * the server's and is written by its script; the middle is empty for a job without options of its own.
 */
import { type TraceContext, traceFrom } from "../core/observe/trace.ts";
import type { Waiting } from "./flows/waiting.ts";
import type { UniqueLetter } from "./jobs/adding.ts";
import type { AddSettings, QueuePriority } from "./add-options.ts";

/** Options that travel with a job; each name is one letter, as every waiting job pays for it. */
interface Travelling {
  /** name; read by the scripts too */
  readonly n?: string;
  /** group */
  readonly g?: string;
  /** attempts */
  readonly a?: number;
  /** unique key, where it is free again once the job is over */
  readonly u?: string;
  /** 1: its result is kept */
  readonly r?: 1;
  /** 1: it was to wait for a time */
  readonly d?: 1;
  /** those that wait for it; read by the scripts too */
  readonly p?: readonly Waiting[];
  /** the tick that it is of; written by `lua/include/schedule-job.lua` */
  readonly s?: number;
  /** what its unique key does, where that is more than keeping others out */
  readonly m?: Exclude<UniqueLetter, "">;
  /** when it expires: a number of milliseconds after it was added, or a text of milliseconds since 1970 */
  readonly x?: number | string;
  /** trace context: `traceparent`, and behind a space `tracestate` */
  readonly w?: string;
  /** of a job that reports another's death: that one's id, the length of its failures, its crashes, why it died; written by `lua/include/deaths.lua` */
  readonly o?: readonly [id: string, failures: number, crashes: number, reason: string];
  /** tags */
  readonly t?: readonly string[];
}

/** The job whose death another one reports. */
export interface DeadRecord {
  readonly id: string;
  readonly crashes: number;
  /** Why it died without a failure of its own; or empty. */
  readonly reason: string;
  /** What is remembered of its failures; or empty. */
  readonly info: Buffer;
  readonly record: Buffer;
}

export interface JobRecord {
  readonly addedAt: number;
  readonly name: string | undefined;
  readonly attempts: number | undefined;
  readonly group: string | undefined;
  readonly uniqueKey: string;
  readonly keepsResult: boolean;
  readonly waiting: readonly Waiting[];
  readonly scheduledFor: number | undefined;
  readonly isDelayed: boolean;
  /** Its unique key is free once it starts. */
  readonly freesAtStart: boolean;
  readonly expiresAt: number | undefined;
  readonly tags: readonly string[];
  readonly trace: TraceContext | undefined;
  readonly priority: QueuePriority;
  /** Its payload is that of the dead job. */
  readonly dead: DeadRecord | undefined;
  readonly payload: Buffer;
}

const STAMP_LENGTH = 14;
const NEWLINE = 10;
const NONE: readonly Waiting[] = [];
const BARE = Buffer.from("\n");
const DIGIT_ONE = 49;
const PRIORITIES = ["high", "normal", "low"] as const;
const NO_TAGS: readonly string[] = [];

/** What follows the time and the lane. @param caller its trace, where the settings have none */
export function encodeRecord(
  settings: AddSettings,
  payload: Buffer,
  caller: string | undefined,
  waiting: readonly Waiting[] = NONE,
): Buffer {
  const { name, group, attempts, result, due, uniqueMode, expires, tags, trace = caller } = settings;
  const uniqueKey = settings.uniqueMs === 0 ? settings.uniqueKey : "";
  const isBare =
    name === undefined && group === undefined && attempts === undefined && uniqueKey === "" && !result && due === "";
  if (isBare && waiting.length === 0 && expires === undefined && tags.length === 0 && trace === undefined)
    return Buffer.concat([BARE, payload]);
  const travelling: Travelling = {
    ...(name === undefined ? {} : { n: name }),
    ...(group === undefined ? {} : { g: group }),
    ...(attempts === undefined ? {} : { a: attempts }),
    ...(uniqueKey === "" ? {} : { u: uniqueKey }),
    ...(uniqueMode === "" ? {} : { m: uniqueMode }),
    ...(result ? { r: 1 } : {}),
    ...(due === "" ? {} : { d: 1 }),
    ...(waiting.length === 0 ? {} : { p: waiting }),
    ...(expires === undefined ? {} : { x: expires }),
    ...(tags.length === 0 ? {} : { t: tags }),
    ...(trace === undefined ? {} : { w: trace }),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(travelling)}\n`), payload]);
}

export function decodeRecord(bytes: Buffer): JobRecord {
  const end = bytes.indexOf(NEWLINE, STAMP_LENGTH);
  const options = end === STAMP_LENGTH ? {} : (JSON.parse(bytes.toString("utf8", STAMP_LENGTH, end)) as Travelling);
  const addedAt = Number(bytes.toString("latin1", 0, STAMP_LENGTH - 1));
  const payload = bytes.subarray(end + 1);
  const dead = options.o === undefined ? undefined : deadOf(options.o, payload);
  return {
    addedAt,
    name: options.n,
    attempts: options.a,
    group: options.g,
    uniqueKey: options.u ?? "",
    keepsResult: options.r === 1,
    waiting: options.p ?? NONE,
    scheduledFor: options.s,
    isDelayed: options.d === 1,
    freesAtStart: options.m === "s",
    expiresAt: expiryOf(options.x, addedAt),
    tags: options.t ?? NO_TAGS,
    trace: traceFrom(options.w),
    priority: PRIORITIES[(bytes[STAMP_LENGTH - 1]! - DIGIT_ONE) % PRIORITIES.length]!,
    dead,
    payload: dead === undefined ? payload : dead.record.subarray(dead.record.indexOf(NEWLINE, STAMP_LENGTH) + 1),
  };
}

function deadOf([id, length, crashes, reason]: NonNullable<Travelling["o"]>, bytes: Buffer): DeadRecord {
  return { id, crashes, reason, info: bytes.subarray(0, length), record: bytes.subarray(length) };
}

function expiryOf(expires: number | string | undefined, addedAt: number): number | undefined {
  if (typeof expires === "string") return Number(expires);
  return expires === undefined ? undefined : addedAt + expires;
}
