/**
 * A transport at once: it is opened in the background, over and over until that succeeds, and from then on is the one that
 * was opened.
 *
 *     opening -- opened ---------------------------------> open (heals by itself from here on)
 *             -- failed, time may mend it ---------------> pause of up to 1 s --> opening
 *             -- failed for good (password, TLS ...) ----> pause of 2 to 30 s --> opening
 *     any     -- close() --------------------------------> closed
 *
 * Until it is open every attempt is `refused` with the latest reason, so that calls wait inside their deadlines; after a
 * failure for good they get that error at once. It is tried again all the same: somebody may correct the server.
 */
import { HoldfastError } from "../../base/errors.ts";
import { type Runtime, sleep } from "../../base/runtime.ts";
import { backoff } from "./backoff.ts";
import { guarded } from "./guarded.ts";
import {
  type Arg,
  type Caller,
  type Capabilities,
  type ChannelKind,
  type ChannelListener,
  type Home,
  type InvalidationListener,
  type InvalidationSubscription,
  type NodeInfo,
  type Route,
  type StateEvent,
  type Subscription,
  type Transport,
  TransportError,
  type TransportLease,
} from "../port.ts";
import { slotOf } from "../slot.ts";

/** What an opening listens to and reports while it is under way. */
export interface Opening {
  /** Fires when nobody wants the transport any more. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each failed try of an opening that goes on trying. Must not throw. */
  readonly failed?: ((error: HoldfastError) => void) | undefined;
}

export interface DeferredSetup {
  /** Names the server in errors until it is known by its own name. */
  readonly where: string;
  readonly runtime: Runtime;
  /** Rejects with a HoldfastError, which is `retryable` where time alone may mend it. */
  open(opening: Opening): Promise<Transport>;
}

/** A wrong password is not tried so often that it locks the user out, nor so seldom that a mended one goes unnoticed. */
const FINAL_PAUSE_MS = { first: 2_000, longest: 30_000 };

const UNKNOWN: Capabilities = { engine: "unknown", version: "", cluster: false, fencing: "none" };

export class DeferredTransport implements Transport {
  /** Settles with the first opening; rejects with its HoldfastError, while the opening goes on. */
  readonly first: Promise<unknown>;
  readonly #setup: DeferredSetup;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(event: StateEvent) => void>();
  readonly #running: Promise<void>;
  readonly #before: Home;
  #open: Transport | undefined;
  #failure: HoldfastError | undefined;
  #closing: Promise<void> | undefined;

  constructor(setup: DeferredSetup) {
    this.#setup = setup;
    this.#before = { id: setup.where, connection: undefined };
    this.first = this.#tryOnce();
    this.#running = this.#run();
  }

  get caps(): Capabilities {
    return this.#open?.caps ?? UNKNOWN;
  }

  /** Until it is known whether the server is a cluster, keys are kept apart as one would have them. */
  slotOf(key: Arg): number {
    return this.#open === undefined ? slotOf(key) : this.#open.slotOf(key);
  }

  attempt(args: readonly Arg[], route: Route, caller: Caller): void {
    if (this.#open === undefined) caller.failed(this.#absent());
    else this.#open.attempt(args, route, caller);
  }

  home(route: Route): Home | undefined {
    return this.#open === undefined ? this.#before : this.#open.home(route);
  }

  async lease(route: Route, signal: AbortSignal): Promise<TransportLease> {
    return this.#opened().lease(route, signal);
  }

  async subscribe(kind: ChannelKind, channel: string, listener: ChannelListener): Promise<Subscription> {
    return this.#opened().subscribe(kind, channel, listener);
  }

  async onInvalidate(prefix: string, listener: InvalidationListener): Promise<InvalidationSubscription> {
    return this.#opened().onInvalidate(prefix, listener);
  }

  /** None until it is open. */
  nodes(): readonly NodeInfo[] {
    return this.#open?.nodes() ?? [];
  }

  onState(listener: (event: StateEvent) => void): () => void {
    const own = (event: StateEvent): void => guarded("a state listener", listener, () => listener(event));
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop.abort(new Error("closed"));
    await this.#running;
    if (this.#open === undefined) this.#emit({ state: "closed", node: this.#setup.where, epoch: 0 });
    else await this.#open.close();
    this.#listeners.clear();
  }

  async #run(): Promise<void> {
    const { runtime } = this.#setup;
    const { signal } = this.#stop;
    await this.first.catch(() => undefined);
    for (let failures = 1, final = 0; this.#open === undefined && !signal.aborted; failures += 1) {
      const forGood = this.#failure?.retryable === false;
      final = forGood ? final + 1 : 0;
      const { first, longest } = FINAL_PAUSE_MS;
      const pauseMs = Math.min(longest, first * 2 ** (final - 1)) * (1 + runtime.random() / 4);
      await (forGood ? sleep(runtime, pauseMs, signal) : backoff(runtime, failures, signal));
      if (!signal.aborted) await this.#tryOnce().catch(() => undefined);
    }
  }

  async #tryOnce(): Promise<void> {
    const { signal } = this.#stop;
    const failed = (error: HoldfastError): void => void (this.#failure = error);
    try {
      const transport = await this.#setup.open({ signal, failed });
      if (signal.aborted) return await transport.close();
      this.#begin(transport);
    } catch (error) {
      failed(error instanceof HoldfastError ? error : unforeseen(error));
      throw this.#failure;
    }
  }

  #begin(transport: Transport): void {
    this.#open = transport;
    this.#failure = undefined;
    transport.onState((event) => this.#emit(event));
    for (const { id, state, epoch } of transport.nodes()) if (state === "up") this.#emit({ state, node: id, epoch });
  }

  #emit(event: StateEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #opened(): Transport {
    if (this.#open === undefined) throw this.#absent();
    return this.#open;
  }

  #absent(): TransportError {
    const node = this.#setup.where;
    const cause = this.#failure;
    if (this.#stop.signal.aborted) return new TransportError("closed", "the connection was closed", { node });
    if (cause === undefined) return new TransportError("refused", `still connecting to ${node}`, { node });
    return new TransportError(cause.retryable ? "refused" : "replied", cause.message, { node, cause });
  }
}

/** A fault of ours, or of a user's `credentials`; nothing is known of it, so time may mend it. */
function unforeseen(error: unknown): HoldfastError {
  const message = error instanceof Error ? error.message : String(error);
  return new HoldfastError("UNAVAILABLE", message, { cause: error, retryable: true });
}
