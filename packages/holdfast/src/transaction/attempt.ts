/** One run of a transaction's function on one connection: WATCH, the function's reads, MULTI, what it queued, EXEC. */
import type { Arg, Call, Driver, Lease, Reply } from "../driver/port.ts";
import { ClosedError, HoldfastError, InvalidArgumentError, said, OutcomeUnknownError } from "../base/errors.ts";
import { type CommandArg, type Wire, wire } from "../core/command/command.ts";
import { bytesOf, listOf } from "../core/command/reply.ts";
import { changesConnection, isKnown, keysOf } from "../core/command/table.ts";
import { type Budget, OP } from "./budget.ts";

export type TransactionArg = CommandArg;

/** What a transaction's function works with. */
export interface Transaction {
  /** Returns the text stored at the key; undefined where there is none. */
  get(key: string): Promise<string | undefined>;
  /** Returns the number stored at the key; undefined where there is none. @throws HoldfastError `WRONG_TYPE` for anything else */
  getNumber(key: string): Promise<number | undefined>;
  /** Returns the bytes stored at the key; undefined where there are none. */
  getBytes(key: string): Promise<Buffer | undefined>;
  /** Returns the texts stored at the keys, in their order. */
  mget(keys: readonly string[]): Promise<(string | undefined)[]>;
  /** Returns the text in one field of a hash; undefined where there is none. */
  hget(key: string, field: string): Promise<string | undefined>;
  /** Returns all fields of a hash with their texts; empty where there is none. */
  hgetAll(key: string): Promise<Map<string, string>>;
  /** Returns the members of a set. */
  smembers(key: string): Promise<Set<string>>;
  /** Returns a member's score in a sorted set; undefined where it is no member. */
  zscore(key: string, member: string): Promise<number | undefined>;
  exists(key: string): Promise<boolean>;
  /** Executes a command now; for reading. A write sent this way is no part of the transaction. Bulk strings are Buffers. */
  send(command: string, ...args: TransactionArg[]): Promise<Reply>;
  /**
   * Keeps a command, to be executed with the others when the function has returned and nothing watched has changed.
   * @throws InvalidArgumentError for an argument that is neither text, number nor bytes, and for a key in another slot; a
   * function that goes on all the same commits nothing
   */
  queue(command: string, ...args: TransactionArg[]): void;
}

/** `undone`: the connection failed, and certainly nothing was executed. */
export type Outcome<T> =
  | { readonly status: "ok"; readonly value: T; readonly replies: Reply[] }
  | { readonly status: "conflict" }
  | { readonly status: "undone"; readonly cause: unknown };

export class Attempt implements Transaction {
  readonly #driver: Driver;
  readonly #lease: Lease;
  readonly #slot: number;
  readonly #budget: Budget;
  readonly #queued: Arg[][] = [];
  /** Failures of this connection; the function may have others of its own, which are not ours to answer. */
  readonly #failures = new Set<unknown>();
  /** What `queue` refused: from then on there is nothing to commit. */
  #refused: unknown;
  #open = true;

  /** @param slot in which all keys must be */
  constructor(driver: Driver, lease: Lease, slot: number, budget: Budget) {
    this.#driver = driver;
    this.#lease = lease;
    this.#slot = slot;
    this.#budget = budget;
  }

  async run<T>(keys: readonly string[], body: (tx: Transaction) => T | Promise<T>): Promise<Outcome<T>> {
    try {
      await this.#send(["WATCH", ...keys], this.#budget.call("read"));
      const value = await this.#budget.within(Promise.resolve(body(this)));
      this.#open = false;
      if (this.#refused !== undefined) throw this.#refused;
      return await this.#commit(value);
    } catch (error) {
      if (this.#failures.has(error)) return { status: "undone", cause: error };
      throw error;
    } finally {
      this.#open = false;
    }
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.getBytes(key))?.toString();
  }

  async getNumber(key: string): Promise<number | undefined> {
    return numberIn(await this.get(key), key);
  }

  async getBytes(key: string): Promise<Buffer | undefined> {
    return bytesOf(await this.send("GET", key), OP, key);
  }

  async mget(keys: readonly string[]): Promise<(string | undefined)[]> {
    if (!Array.isArray(keys)) throw new InvalidArgumentError("keys", "a list of keys", keys, { where: OP });
    const values = listOf(await this.send("MGET", ...keys), OP, keys[0]);
    return values.map((value) => bytesOf(value, OP, keys[0])?.toString());
  }

  async hget(key: string, field: string): Promise<string | undefined> {
    return bytesOf(await this.send("HGET", key, field), OP, key)?.toString();
  }

  async hgetAll(key: string): Promise<Map<string, string>> {
    const flat = listOf(await this.send("HGETALL", key), OP, key).map(String);
    return new Map(flat.flatMap((field, at) => (at % 2 === 0 ? [[field, flat[at + 1] ?? ""] as const] : [])));
  }

  async smembers(key: string): Promise<Set<string>> {
    return new Set(listOf(await this.send("SMEMBERS", key), OP, key).map(String));
  }

  async zscore(key: string, member: string): Promise<number | undefined> {
    const score = await this.send("ZSCORE", key, member);
    return typeof score === "number" ? score : numberIn(bytesOf(score, OP, key)?.toString(), key);
  }

  async exists(key: string): Promise<boolean> {
    return (await this.send("EXISTS", key)) === 1;
  }

  async send(command: string, ...args: TransactionArg[]): Promise<Reply> {
    const checked = this.#wire(command, args);
    return this.#send([checked.name, ...checked.args], this.#budget.call("read"));
  }

  queue(command: string, ...args: TransactionArg[]): void {
    try {
      const { name, args: encoded } = this.#wire(command, args);
      if (isKnown(name)) for (const key of keysOf(name, encoded)) this.#checkSlot(name, key);
      this.#queued.push([name, ...encoded]);
    } catch (error) {
      this.#refused ??= error;
      throw error;
    }
  }

  /** MULTI to EXEC go out in one piece; an EXEC without commands still shows whether all of it was read at one consistent moment. */
  async #commit<T>(value: T): Promise<Outcome<T>> {
    const harmless = this.#budget.call("read");
    const decisive: Call = { ...harmless, class: "unsafe" };
    const replies = [["MULTI"], ...this.#queued].map((args) => this.#send(args, harmless));
    const [exec, ...before] = await Promise.allSettled([this.#send(["EXEC"], decisive), ...replies]);
    const rejected = before.find((reply) => reply.status === "rejected");
    if (exec.status === "fulfilled") {
      // It cannot be, for each was checked before it was sent; but then the rest has run without it.
      if (rejected !== undefined && exec.value !== null) throw leftOut(rejected.reason);
      return exec.value === null ? { status: "conflict" } : { status: "ok", value, replies: exec.value as Reply[] };
    }
    // What EXEC says of an earlier command (EXECABORT) says less than that command's own error.
    const unknown = exec.reason instanceof HoldfastError && exec.reason.code === "OUTCOME_UNKNOWN";
    throw unknown || rejected === undefined ? exec.reason : rejected.reason;
  }

  async #send(args: readonly Arg[], call: Call): Promise<Reply> {
    try {
      return await this.#lease.send(args, call);
    } catch (error) {
      if (error instanceof HoldfastError && error.code === "UNAVAILABLE") this.#failures.add(error);
      throw error;
    }
  }

  #wire(command: string, args: readonly TransactionArg[]): Wire {
    if (!this.#open)
      throw new ClosedError("this run of the transaction is over; use `tx` only inside its function", { op: OP });
    const checked = wire(command, args, OP);
    if (!changesConnection(checked.name, checked.args)) return checked;
    const expected = "a command of your own, other than WATCH, MULTI, EXEC and those that change the connection";
    throw new InvalidArgumentError("command", expected, said(checked.name), { op: OP, where: OP });
  }

  #checkSlot(name: string, key: Arg): void {
    if (this.#driver.slotOf(key) === this.#slot) return;
    const expected = "a key in the same slot as the watched ones, as hf.key(group, name) makes for one group";
    throw new InvalidArgumentError(`key of ${name}`, expected, key, { op: OP, where: OP });
  }
}

function leftOut(cause: unknown): OutcomeUnknownError {
  const message =
    "transaction: one of its commands was refused, the others were executed; read the state before repeating it";
  return new OutcomeUnknownError(message, { op: OP, cause });
}

function numberIn(text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text.replace(/^([+-]?)inf$/, "$1Infinity"));
  if (!Number.isNaN(value)) return value;
  throw new HoldfastError("WRONG_TYPE", `transaction: ${JSON.stringify(key)} holds no number`, { op: OP, key });
}
