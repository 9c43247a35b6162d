/**
 * A transactional acknowledgement: a job is acknowledged and its handler's writes to Redis are carried out in one script, only if the run
 * still holds the job. So their effect is exactly once, whatever dies when.
 */
import { HoldfastError, InvalidArgumentError, LeaseLostError } from "../base/errors.ts";
import { type CommandArg, wire } from "../core/command/command.ts";
import { keysOf } from "../core/command/table.ts";
import type { Core } from "../core/core.ts";
import { runScript } from "../core/script/run.ts";
import type { Arg, Reply } from "../driver/port.ts";
import type { QueueKeys } from "./keys.ts";
import { commit } from "./scripts.gen.ts";

/** What the function of `job.commit` is given. */
export interface QueueCommit {
  /**
   * Keeps a write, to be carried out with the acknowledgement: SET, INCRBY, HSET, SADD, ZADD, RPUSH, XADD, DEL and the like.
   * @throws InvalidArgumentError for another command, for an argument that is neither text, number nor bytes, and for a key in another slot
   */
  queue(command: string, ...args: CommandArg[]): void;
}

export interface QueueCommitOptions {
  /** Kept for `job.result()` in the same step, of a job that was added with `result: true`. @default undefined */
  readonly result?: unknown;
}

export interface QueueCommitResult {
  readonly status: "ok";
  /** One for each write, in their order. An argument that the server refused has its Error here; the other writes were carried out. */
  readonly replies: readonly Reply[];
}

/**
 * What a command's key must hold, as commit.lua reads it: nothing in particular (`-`), a string (`s`), an integer (`i`), a number (`f`), a hash
 * (`h`; with an integer or a number in its field: `H`, `F`), a list, a set (`S`), a sorted set (`z`), a stream (`x`).
 */
const WANTED: Readonly<Record<string, string>> = {
  ...wanting("-", "SET SETEX PSETEX SETNX MSET DEL UNLINK EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST PUBLISH SPUBLISH"),
  ...wanting("s", "APPEND SETRANGE SETBIT GETSET GETDEL GETEX PFADD"),
  ...wanting("i", "INCR INCRBY DECR DECRBY"),
  ...wanting("f", "INCRBYFLOAT"),
  ...wanting("h", "HSET HMSET HSETNX HDEL"),
  ...wanting("H", "HINCRBY"),
  ...wanting("F", "HINCRBYFLOAT"),
  ...wanting("l", "LPUSH RPUSH LPUSHX RPUSHX LTRIM LREM LINSERT"),
  ...wanting("S", "SADD SREM"),
  ...wanting("z", "ZADD ZINCRBY ZREM ZREMRANGEBYSCORE ZREMRANGEBYRANK ZREMRANGEBYLEX GEOADD"),
  ...wanting("x", "XADD XDEL XTRIM"),
};

const OP = "job.commit";
/** A repetition of a lost answer comes within the call's deadline, and a late copy not much later. */
const OPERATION_TTL_MS = 60_000;
/** One call holds the server while it lasts. */
const MAX_COMMANDS = 100;
const MAX_ARGS = 1_000;

/** What the script knows a run by. */
interface Committed {
  readonly id: string;
  readonly fence: number;
  readonly uniqueKey: string;
}

/** Empty where nobody is told. */
interface Told {
  /** For those who wait for its result. */
  readonly outcome: Buffer;
  /** For jobs that wait for it. */
  readonly told: Buffer;
}

interface CommitTerms {
  /** Where the job's worker holds it. */
  readonly active: string;
  readonly keepMs: number;
  readonly timeoutMs: number | undefined;
}

/**
 * Carries out what `write` queues, with the acknowledgement.
 * @throws LeaseLostError where the run is over; then nothing was written
 */
export async function commitJob(
  core: Core,
  keys: QueueKeys,
  { active, keepMs, timeoutMs }: CommitTerms,
  job: Committed,
  write: (commit: QueueCommit) => void,
  { outcome, told }: Told,
): Promise<QueueCommitResult> {
  const { names: own, words, shown } = collect(core, keys.queue, write);
  const { jobs, meta, unique, letters, idle } = keys;
  const operation = keys.operation(`commit:${job.id}:${job.fence}`);
  const names = { operation, active, jobs, meta, unique, letters, idle, result: keys.result(job.id), ...own };
  const { id, fence, uniqueKey } = job;
  const { channel } = core.wakeups;
  const args = { operationTtlMs: OPERATION_TTL_MS, id, fence, uniqueKey, outcome, told, keepMs, channel, words };
  const answer = await runScript(core.driver, commit, names, args, { op: OP, key: id, timeoutMs });
  if (answer.status === "ok") return { status: "ok", replies: answer.replies.map(decoded) };
  if (answer.status === "stale") {
    const message = `job ${id}: nothing was written, for the job is no longer this run's`;
    throw new LeaseLostError("expired", message, { op: OP, key: id });
  }
  const code = answer.reason.startsWith("holds") ? "WRONG_TYPE" : "SERVER";
  const command = `command ${answer.place} (${shown[answer.place - 1]!})`;
  const message = `job ${id}: nothing was written, for ${command} ${wording(answer.reason)}`;
  throw new HoldfastError(code, message, { op: OP, key: id });
}

function collect(core: Core, queue: string, write: (commit: QueueCommit) => void): Collected {
  if (typeof write !== "function") throw new InvalidArgumentError("write", "a function", write, { where: OP });
  const collected = new Collected(core, queue);
  const returned: unknown = write(collected);
  if (typeof (returned as { then?: unknown } | undefined)?.then === "function")
    throw new InvalidArgumentError("write", "a function that returns at once", returned, { where: OP });
  return collected.close();
}

/** What a body has queued, as the script takes it. */
class Collected implements QueueCommit {
  readonly names: { readonly written: string[] } = { written: [] };
  readonly words: (string | Buffer)[] = [];
  /** As messages name each command: without its values. */
  readonly shown: string[] = [];
  readonly #core: Core;
  readonly #queue: string;
  #refused: unknown;
  #open = true;

  constructor(core: Core, queue: string) {
    this.#core = core;
    this.#queue = queue;
  }

  queue(command: string, ...args: CommandArg[]): void {
    try {
      this.#add(command, args);
    } catch (error) {
      this.#refused ??= error;
      throw error;
    }
  }

  close(): this {
    this.#open = false;
    if (this.#refused !== undefined) throw this.#refused;
    return this;
  }

  #add(command: string, given: readonly CommandArg[]): void {
    const { name, args } = wire(command, given, OP);
    if (!this.#open) throw refusal("command", "no command after the function has returned", name);
    const wanted = Object.hasOwn(WANTED, name) ? WANTED[name]! : undefined;
    if (wanted === undefined)
      throw refusal("command", "a write such as SET, INCRBY, HSET, SADD, ZADD, RPUSH or XADD", name);
    if (this.shown.length === MAX_COMMANDS) throw refusal("command", `at most ${MAX_COMMANDS} writes`, name);
    if (args.length === 0 || args.length > MAX_ARGS)
      throw refusal(`arguments of ${name}`, `1 to ${MAX_ARGS}`, args.length);
    const keys = keysOf(name, args);
    for (const key of keys) {
      this.#checkSlot(name, key);
      const text = String(key);
      if (!this.names.written.includes(text)) this.names.written.push(text);
    }
    const isGet = name === "SET" && args.slice(2).some((arg) => String(arg).toUpperCase() === "GET");
    this.words.push(String(args.length + 1), isGet ? "s" : wanted, name, ...args);
    this.shown.push(keys.length === 0 ? name : `${name} ${JSON.stringify(String(keys[0]))}`);
  }

  #checkSlot(name: string, key: Arg): void {
    const { driver } = this.#core;
    if (driver.slotOf(key) === driver.slotOf(this.#queue)) return;
    throw refusal(`key of ${name}`, "a key in the queue's slot, as job.key(name) makes", String(key));
  }
}

function refusal(field: string, expected: string, got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(field, expected, got, { op: OP, where: OP });
}

function wording(reason: string): string {
  const text = reason.replace(/^\w+ /, "");
  return reason.startsWith("holds") ? `finds ${text} at its key` : `was refused: ${text}`;
}

function decoded(bytes: Buffer): Reply {
  const [kind, rest] = [String.fromCharCode(bytes[0]!), bytes.subarray(1)];
  if (kind === ":") return Number(rest.toString());
  if (kind === "+") return rest.toString();
  if (kind === "-") return new HoldfastError("SERVER", rest.toString(), { op: OP });
  return kind === "_" ? null : rest;
}

function wanting(kind: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [name, kind]));
}
