/** The test double of the port: each attempt meets the next scripted step, or stays without an answer for ever. */
import {
  type Arg,
  type Caller,
  type Capabilities,
  type Home,
  type NodeInfo,
  type Reply,
  type Route,
  type StateEvent,
  type InvalidationSubscription,
  type Subscription,
  type Transport,
  TransportError,
  type TransportLease,
} from "../../src/driver/port.ts";

export type Step = { readonly reply: Reply } | { readonly error: unknown } | "silence";

export interface SentCommand {
  readonly args: readonly Arg[];
  readonly route: Route;
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

export const NODE = "10.0.0.1:6379";

export const reply = (value: Reply): Step => ({ reply: value });
export const refused: Step = { error: new TransportError("refused", "no connection", { node: NODE }) };
export const lost: Step = { error: new TransportError("lost", "connection reset", { node: NODE }) };
export const closedByTransport: Step = { error: new TransportError("closed", "closed", { node: NODE }) };

export function refusedWith(prefix: string): Step {
  return { error: new TransportError("refused", `${prefix} not now`, { prefix, node: NODE }) };
}

export function repliedWith(prefix: string, message = "no"): Step {
  return { error: new TransportError("replied", `${prefix} ${message}`, { prefix, node: NODE }) };
}

export class ScriptedTransport implements Transport {
  readonly caps: Capabilities = { engine: "redis", version: "7.0.15", cluster: false, fencing: "none" };
  /** Every attempt so far, also those on leases. */
  readonly attempts: SentCommand[] = [];
  readonly leases: ScriptedLease[] = [];
  readonly subscriptions: { closed: boolean }[] = [];
  nodeIds: readonly string[] = [NODE];
  /** What every attempt meets once the scripted steps are used up. */
  rest: Step = "silence";
  /** What happens to `lease`, `subscribe` and `onInvalidate`: "silence" waits for `open`. */
  connecting: "at once" | "silence" = "at once";
  /** What `home` says; undefined: scripts go by EVALSHA at once. */
  connection: object | undefined = undefined;
  closes = 0;
  readonly #steps: Step[];
  readonly #listeners = new Set<(event: StateEvent) => void>();
  readonly #gate: Promise<void>;
  /** Lets what waits in `lease`, `subscribe` and `onInvalidate` go on. */
  open!: () => void;

  constructor(...steps: Step[]) {
    this.#steps = steps;
    this.#gate = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  get sent(): string[] {
    return this.attempts.map(({ args }) => args.join(" "));
  }

  next(...steps: Step[]): void {
    this.#steps.push(...steps);
  }

  emit(state: StateEvent["state"], node: string = NODE): void {
    for (const listener of this.#listeners) listener({ state, node, epoch: 1 });
  }

  slotOf(): number {
    return 0;
  }

  attempt(args: readonly Arg[], route: Route, caller: Caller): void {
    this.ask(args, route).then(
      (reply) => caller.replied(reply),
      (error: TransportError) => caller.failed(error),
    );
  }

  ask(args: readonly Arg[], route: Route): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.attempts.push({ args, route, resolve, reject });
      const step = this.#steps.shift() ?? this.rest;
      if (step === "silence") return;
      if ("error" in step) reject(step.error);
      else resolve(step.reply);
    });
  }

  home(route: Route): Home | undefined {
    if (typeof route === "object" && !Buffer.isBuffer(route)) return { id: route.node, connection: undefined };
    return this.nodeIds.length === 1 ? { id: this.nodeIds[0]!, connection: this.connection } : undefined;
  }

  async lease(_route: Route, signal: AbortSignal): Promise<TransportLease> {
    await this.#connected();
    const lease = new ScriptedLease(this, signal);
    this.leases.push(lease);
    return lease;
  }

  async subscribe(): Promise<Subscription> {
    await this.#connected();
    const subscription = { closed: false };
    this.subscriptions.push(subscription);
    return {
      close: async () => {
        subscription.closed = true;
      },
    };
  }

  async onInvalidate(): Promise<InvalidationSubscription> {
    return { ...(await this.subscribe()), isLive: true };
  }

  nodes(): readonly NodeInfo[] {
    return this.nodeIds.map((id) => ({ id, state: "up", epoch: 1 }));
  }

  onState(listener: (event: StateEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closes += 1;
  }

  async #connected(): Promise<void> {
    if (this.connecting === "silence") await this.#gate;
  }
}

export class ScriptedLease implements TransportLease {
  readonly node = NODE;
  readonly signal: AbortSignal;
  state: "open" | "released" | "destroyed" = "open";
  readonly #transport: ScriptedTransport;

  constructor(transport: ScriptedTransport, signal: AbortSignal) {
    this.#transport = transport;
    this.signal = signal;
  }

  attempt(args: readonly Arg[]): Promise<Reply> {
    return this.#transport.ask(args, { node: this.node });
  }

  release(): void {
    if (this.state === "open") this.state = "released";
  }

  destroy(): void {
    this.state = "destroyed";
  }
}

export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** Follows a promise without waiting for it: `undefined` until it is settled. */
export function watch<T>(promise: Promise<T>): () => Outcome<T> | undefined {
  let outcome: Outcome<T> | undefined;
  promise.then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  );
  return () => outcome;
}
