/** One run of a transaction's function on one connection: WATCH, the function's reads, MULTI, what it queued, EXEC. */
import type { Arg, Call, Lease, Reply } from "../driver/port.ts";
import { ClosedError, HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { type Budget, OP } from "./budget.ts";

export type TransactionArg = Arg | number;

/** What a transaction's function works with. */
export interface Transaction {
  /** Executes a command now; for reading. A write sent this way is no part of the transaction. Bulk strings are Buffers. */
  send(command: string, ...args: TransactionArg[]): Promise<Reply>;
  /** Keeps a command, to be executed with the others when the function has ended and nothing watched has changed. */
  queue(command: string, ...args: TransactionArg[]): void;
}

/** `undone`: the connection failed, and certainly nothing was executed. */
export type Outcome<T> =
  | { readonly status: "committed"; readonly value: T; readonly replies: Reply[] }
  | { readonly status: "conflict" }
  | { readonly status: "undone"; readonly cause: unknown };

const OWN_COMMANDS: ReadonlySet<string> = new Set(["WATCH", "UNWATCH", "MULTI", "EXEC", "DISCARD"]);

export class Attempt implements Transaction {
  readonly #lease: Lease;
  readonly #budget: Budget;
  readonly #queued: Arg[][] = [];
  /** Failures of this connection; the function may have others of its own, which are not ours to answer. */
  readonly #failures = new Set<unknown>();
  #open = true;

  constructor(lease: Lease, budget: Budget) {
    this.#lease = lease;
    this.#budget = budget;
  }

  async run<T>(keys: readonly string[], body: (tx: Transaction) => T | Promise<T>): Promise<Outcome<T>> {
    try {
      await this.#send(["WATCH", ...keys], this.#budget.call("read"));
      const value = await this.#budget.within(Promise.resolve(body(this)));
      this.#open = false;
      return await this.#commit(value);
    } catch (error) {
      if (this.#failures.has(error)) return { status: "undone", cause: error };
      throw error;
    } finally {
      this.#open = false;
    }
  }

  async send(command: string, ...args: TransactionArg[]): Promise<Reply> {
    return this.#send(this.#wire(command, args), this.#budget.call("read"));
  }

  queue(command: string, ...args: TransactionArg[]): void {
    this.#queued.push(this.#wire(command, args));
  }

  /** MULTI to EXEC go out in one piece; an EXEC without commands still tells whether what was read is of one moment. */
  async #commit<T>(value: T): Promise<Outcome<T>> {
    const harmless = this.#budget.call("read");
    const decisive: Call = { ...harmless, class: "unsafe" };
    const replies = [["MULTI"], ...this.#queued].map((args) => this.#send(args, harmless));
    const [exec, ...before] = await Promise.allSettled([this.#send(["EXEC"], decisive), ...replies]);
    if (exec.status === "fulfilled") {
      return exec.value === null
        ? { status: "conflict" }
        : { status: "committed", value, replies: exec.value as Reply[] };
    }
    // What EXEC says of an earlier command (EXECABORT) says less than that command's own error.
    const unknown = exec.reason instanceof HoldfastError && exec.reason.code === "OUTCOME_UNKNOWN";
    const first = unknown ? undefined : before.find((reply) => reply.status === "rejected");
    throw first === undefined ? exec.reason : first.reason;
  }

  async #send(args: readonly Arg[], call: Call): Promise<Reply> {
    try {
      return await this.#lease.send(args, call);
    } catch (error) {
      if (error instanceof HoldfastError && error.code === "UNAVAILABLE") this.#failures.add(error);
      throw error;
    }
  }

  #wire(command: string, args: readonly TransactionArg[]): Arg[] {
    if (!this.#open)
      throw new ClosedError("this run of the transaction has ended; use `tx` only inside its function", { op: OP });
    if (typeof command !== "string" || command === "" || OWN_COMMANDS.has(command.toUpperCase())) {
      throw new InvalidArgumentError(
        "command",
        "a command's name, other than WATCH, MULTI and EXEC, which are sent for you",
        command,
      );
    }
    return [command, ...args.map((arg) => (typeof arg === "number" ? String(arg) : arg))];
  }
}
