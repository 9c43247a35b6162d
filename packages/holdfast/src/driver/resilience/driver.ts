/**
 * The driver: every call of the port with a deadline, retries by its class alone, a retry budget and a circuit
 * breaker, over any transport. What happens to one call is told in `call.ts`.
 */
import type {
  Arg,
  Call,
  Capabilities,
  ChannelKind,
  ChannelListener,
  Conclude,
  Driver,
  InvalidationListener,
  InvalidationSubscription,
  Lease,
  NodeInfo,
  Reply,
  Route,
  ScriptSource,
  StateEvent,
  Subscription,
  Transport,
} from "../port.ts";
import type { HoldfastError } from "../../base/errors.ts";
import { type Runtime, systemRuntime, within } from "../../base/runtime.ts";
import { Breakers } from "./breaker.ts";
import { PendingCall } from "./call.ts";
import { CommandCall, ConcludedCall, EvalCall, sendBatch } from "./command-call.ts";
import { BlockingCall, BoundedLease, type Preparation, PreparationCall } from "./connection-call.ts";
import type { CallContext } from "./context.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { LoadedScripts } from "./loaded-scripts.ts";
import { type ResilienceOptions, type ResolvedResilience, resolveResilience } from "./options.ts";
import { RetryBudget } from "./retry-budget.ts";
import { WaitingRoom } from "./waiting-room.ts";

export type { ResilienceOptions } from "./options.ts";

/** The transport is owned by the driver from here on and closed with it. */
export function createDriver(
  transport: Transport,
  options: ResilienceOptions = {},
  runtime: Runtime = systemRuntime,
): Driver {
  return new ResilientDriver(transport, resolveResilience(options), runtime);
}

class ResilientDriver implements Driver {
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly #transport: Transport;
  readonly #context: CallContext;
  readonly #closeTimeoutMs: number;
  readonly #endStateListening: () => void;
  #closed: Promise<void> | undefined = undefined;

  constructor(transport: Transport, options: ResolvedResilience, runtime: Runtime) {
    this.timeoutMs = options.timeoutMs;
    this.runtime = runtime;
    this.#transport = transport;
    this.#closeTimeoutMs = options.closeTimeoutMs;
    this.#context = {
      runtime,
      transport,
      wheel: new DeadlineWheel(runtime),
      scripts: new LoadedScripts(),
      budget: new RetryBudget(options.retryBudget),
      waiting: new WaitingRoom(options.maxWaiting, runtime),
      breakers: new Breakers(
        {
          enabled: options.breaker,
          failures: options.breakerFailures,
          patienceMs: options.timeoutMs,
          coolDownMs: options.breakerCoolDownMs,
        },
        runtime,
      ),
      closing: false,
    };
    this.#endStateListening = transport.onState((event) => this.#stateChanged(event));
  }

  /** They change once: a transport may be there before its server is. */
  get caps(): Capabilities {
    return this.#transport.caps;
  }

  slotOf(key: Arg): number {
    return this.#transport.slotOf(key);
  }

  send(args: readonly Arg[], call: Call, route?: Route): Promise<Reply> {
    const pending = new CommandCall(this.#context, args, call, route);
    pending.begin(call.timeoutMs ?? this.timeoutMs);
    return pending.promise;
  }

  ask<T>(args: readonly Arg[], call: Call, route: Route, conclude: Conclude<T>): Promise<T> {
    const pending = new ConcludedCall(this.#context, args, call, route, conclude);
    pending.begin(call.timeoutMs ?? this.timeoutMs);
    return pending.promise;
  }

  script(script: ScriptSource, keys: readonly Arg[], args: readonly Arg[], call: Call): Promise<Reply> {
    const pending = new EvalCall(this.#context, script, keys, args, call);
    pending.begin(call.timeoutMs ?? this.timeoutMs);
    return pending.promise;
  }

  batch(commands: readonly (readonly Arg[])[], call: Call, route?: Route): Promise<(Reply | HoldfastError)[]> {
    return sendBatch(this.#context, commands, call, route, call.timeoutMs ?? this.timeoutMs);
  }

  async lease(route: Route, call: Call): Promise<Lease> {
    const lease = await this.#prepare(call, route, {
      command: "LEASE",
      make: (transport, signal) => transport.lease(route, signal),
      undo: (late) => late.release(),
    });
    return new BoundedLease(this.#context, lease, this.timeoutMs);
  }

  blocking(args: readonly Arg[], blockMs: number, call: Call, route?: Route): Promise<Reply> {
    const pending = new BlockingCall(this.#context, args, call, route);
    pending.begin((call.timeoutMs ?? this.timeoutMs) + blockMs);
    return pending.promise;
  }

  subscribe(kind: ChannelKind, channel: string, listener: ChannelListener, call: Call): Promise<Subscription> {
    return this.#prepare(call, channel, {
      command: "SUBSCRIBE",
      make: (transport) => transport.subscribe(kind, channel, listener),
      undo: closeQuietly,
    });
  }

  onInvalidate(prefix: string, listener: InvalidationListener, call: Call): Promise<InvalidationSubscription> {
    return this.#prepare<InvalidationSubscription>(call, undefined, {
      command: "CLIENT TRACKING",
      make: (transport) => transport.onInvalidate(prefix, listener),
      undo: closeQuietly,
    });
  }

  nodes(): readonly NodeInfo[] {
    return this.#transport.nodes();
  }

  onState(listener: (event: StateEvent) => void): () => void {
    return this.#transport.onState(listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  #prepare<T>(call: Call, route: Route, preparation: Preparation<T>): Promise<T> {
    const pending = new PreparationCall(this.#context, preparation, call, route);
    pending.begin(call.timeoutMs ?? this.timeoutMs);
    return pending.promise;
  }

  #stateChanged({ state, node }: StateEvent): void {
    if (state === "down") return;
    this.#context.breakers.clear(node);
    if (state === "up") this.#context.waiting.wakeAll();
  }

  async #shutDown(): Promise<void> {
    const { wheel } = this.#context;
    this.#context.closing = true;
    await within(this.runtime, this.#closeTimeoutMs, this.#drained());
    for (const node of wheel.nodes()) if (node instanceof PendingCall) node.shutDown();
    wheel.stop();
    this.#endStateListening();
    await within(this.runtime, this.#closeTimeoutMs, this.#transport.close());
  }

  /** Resolves once no call is pending. Nothing new is begun by then. */
  async #drained(): Promise<void> {
    const { wheel } = this.#context;
    // A call that leaves its back-off is out of the wheel for a moment, so being empty once is not enough.
    while (wheel.entries > 0) {
      await new Promise<void>((resolve) => {
        wheel.onEmpty = resolve;
      });
    }
  }
}

/** Nobody waits for this subscription any more, nor for its end. */
function closeQuietly(subscription: Subscription): void {
  subscription.close().catch(() => {});
}
