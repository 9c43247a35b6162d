/** The calls of the hot path: one command, one script, or one command of a pipeline. */
import type { Arg, Call, Conclude, Reply, Route, ScriptSource, TransportError } from "../port.ts";
import { Deferred } from "../../base/deferred.ts";
import type { HoldfastError } from "../../base/errors.ts";
import { PendingCall } from "./call.ts";
import type { CallContext } from "./context.ts";

/** A call for one command; it sends what `args` says at each attempt. */
export class CommandCall extends PendingCall<Reply> {
  protected args: readonly Arg[];
  readonly #outcome: Deferred<Reply> = new Deferred();

  constructor(context: CallContext, args: readonly Arg[], spec: Call, route: Route) {
    super(context, spec, route);
    this.args = args;
  }

  get promise(): Promise<Reply> {
    return this.#outcome.promise;
  }

  protected override get command(): string {
    return commandOf(this.args);
  }

  protected override attempt(): void {
    this.context.transport.attempt(this.args, this.route, this);
  }

  protected override deliver(reply: Reply): void {
    this.#outcome.resolve(reply);
  }

  protected override fail(error: HoldfastError): void {
    this.#outcome.reject(error);
  }
}

/** A call for one command whose promise is of what its caller makes of the outcome. */
export class ConcludedCall<T> extends PendingCall<Reply> {
  readonly #args: readonly Arg[];
  readonly #conclude: Conclude<T>;
  readonly #outcome: Deferred<T> = new Deferred();

  constructor(context: CallContext, args: readonly Arg[], spec: Call, route: Route, conclude: Conclude<T>) {
    super(context, spec, route);
    this.#args = args;
    this.#conclude = conclude;
  }

  get promise(): Promise<T> {
    return this.#outcome.promise;
  }

  protected override get command(): string {
    return commandOf(this.#args);
  }

  protected override attempt(): void {
    this.context.transport.attempt(this.#args, this.route, this);
  }

  protected override deliver(reply: Reply): void {
    this.#settle(reply);
  }

  protected override fail(error: HoldfastError): void {
    this.#settle(error);
  }

  #settle(outcome: Outcome): void {
    try {
      this.#outcome.resolve(this.#conclude(outcome));
    } catch (error) {
      this.#outcome.reject(error);
    }
  }
}

/**
 * EVALSHA, or EVAL where the connection has not carried the source yet. NOSCRIPT says that nothing was executed and
 * that the server has lost its scripts: the source follows.
 */
export class EvalCall extends CommandCall {
  readonly #script: ScriptSource;

  constructor(context: CallContext, script: ScriptSource, keys: readonly Arg[], args: readonly Arg[], spec: Call) {
    super(context, evalArgs("EVALSHA", script.sha1, keys, args), spec, keys[0]);
    this.#script = script;
  }

  protected override attempt(): void {
    const { scripts, transport } = this.context;
    if (this.#bySha && !scripts.claim(transport.home(this.route)?.connection, this.#script.sha1)) this.#sendSource();
    super.attempt();
  }

  protected override recovers(failure: TransportError): boolean {
    if (failure.prefix !== "NOSCRIPT" || !this.#bySha) return false;
    const { scripts, transport } = this.context;
    const connection = transport.home(this.route)?.connection;
    scripts.forget(connection);
    scripts.claim(connection, this.#script.sha1);
    this.#sendSource();
    return true;
  }

  protected override onRepeat(): void {
    const again = this.spec.onRepeat?.();
    // Before them: the command, the script, the number of keys, and the keys.
    if (again !== undefined) this.args = [...this.args.slice(0, 3 + Number(this.args[2])), ...again];
  }

  get #bySha(): boolean {
    return this.args[0] === "EVALSHA";
  }

  #sendSource(): void {
    this.args = ["EVAL", this.#script.lua, ...this.args.slice(2)];
  }
}

/** One command of a batch: its outcome goes to its place in the batch. */
class BatchItem extends PendingCall<Reply> {
  readonly #batch: Batch;
  readonly #index: number;
  readonly #args: readonly Arg[];

  constructor(context: CallContext, batch: Batch, index: number, args: readonly Arg[], spec: Call, route: Route) {
    super(context, spec, route);
    this.#batch = batch;
    this.#index = index;
    this.#args = args;
  }

  protected override get command(): string {
    return commandOf(this.#args);
  }

  protected override attempt(): void {
    this.context.transport.attempt(this.#args, this.route, this);
  }

  protected override deliver(reply: Reply): void {
    this.#batch.settle(this.#index, reply);
  }

  protected override fail(error: HoldfastError): void {
    this.#batch.settle(this.#index, error);
  }
}

type Outcome = Reply | HoldfastError;

class Batch {
  readonly promise: Promise<Outcome[]>;
  readonly #outcomes: Outcome[];
  #open: number;
  #resolve!: (outcomes: Outcome[]) => void;

  constructor(size: number) {
    this.#open = size;
    this.#outcomes = Array.from<Outcome>({ length: size }).fill(null);
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (size === 0) this.#resolve(this.#outcomes);
  }

  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome;
    this.#open -= 1;
    if (this.#open === 0) this.#resolve(this.#outcomes);
  }
}

/** All commands are attempted in the same tick, and each of them is retried, timed and reported on its own. */
export function sendBatch(
  context: CallContext,
  commands: readonly (readonly Arg[])[],
  spec: Call,
  route: Route,
  timeoutMs: number,
): Promise<Outcome[]> {
  const batch = new Batch(commands.length);
  for (const [index, args] of commands.entries()) {
    new BatchItem(context, batch, index, args, spec, route).begin(timeoutMs);
  }
  return batch.promise;
}

function evalArgs(command: string, script: string, keys: readonly Arg[], args: readonly Arg[]): Arg[] {
  const all: Arg[] = [command, script, String(keys.length)];
  for (const key of keys) all.push(key);
  for (const arg of args) all.push(arg);
  return all;
}

export function commandOf(args: readonly Arg[]): string {
  return String(args[0]).toUpperCase();
}
