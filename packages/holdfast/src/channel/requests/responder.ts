/** Answers requests: `concurrency` handlers at one time, a bounded queue before them, and a deadline for each, its sender's. */
import { onAbort } from "../../base/abort.ts";
import { Door } from "../../base/door.ts";
import { AbortedError, ClosedError, TimeoutError } from "../../base/errors.ts";
import { type Timer, within } from "../../base/runtime.ts";
import { rebuilt, type Thrown } from "../../core/threads/pool.ts";
import { type Invoked, invoked } from "../handlers.ts";
import type { ChannelRawMessage } from "../options.ts";
import { Reports } from "../../core/observe/reports.ts";
import { type AskFrame, readRequest, replyFrame, type ReplyFrame } from "./frames.ts";
import { type ChannelRespondOptions, respondSettings, type RespondSettings } from "./options.ts";
import { Registration } from "./registration.ts";
import {
  BAD_REPLY,
  BAD_REQUEST,
  ChannelReplyError,
  type Failure,
  failureOf,
  INTERNAL,
  refusalOf,
} from "./reply-error.ts";
import { RequestNames, type RequestSource } from "./source.ts";

export interface ChannelRequestContext {
  /** Name of the channel. */
  readonly channel: string;
  readonly group: string;
  /** How long its sender still waited when the handler began: what is asked of others on its behalf need not wait for longer. */
  readonly timeoutMs: number;
  /** Fires when its sender waits no more (deadline, its own signal), and when the responder was closed and `closeTimeout` is over. */
  readonly signal: AbortSignal;
}

/** What it returns is the reply. What it throws is none: see ChannelReplyError. Also the default export of a module that is run in threads. */
export type ChannelRequestHandler<T, R> = (message: T, context: ChannelRequestContext) => R | Promise<R>;

/** Answers the requests of a channel. */
export interface ChannelResponder extends AsyncDisposable {
  /** Name of the channel. */
  readonly name: string;
  readonly group: string;
  /**
   * Ends it: no request comes any more, and those that have come are answered, within `closeTimeout`. Idempotent; never rejects. For a
   * handler of this responder it resolves at once.
   */
  close(): Promise<void>;
}

/** A request that has come and is not answered. */
interface Taken {
  readonly frame: AskFrame;
  readonly endsAt: number;
  readonly controller: AbortController;
  readonly timer: Timer;
}

export class Responder<T, R> implements ChannelResponder {
  readonly name: string;
  readonly group: string;
  readonly #source: RequestSource<T, R>;
  readonly #settings: RespondSettings;
  readonly #names: RequestNames;
  readonly #registration: Registration;
  readonly #handler: Invoked<T, ChannelRequestContext>;
  readonly #reports: Reports<never, ChannelRawMessage>;
  readonly #door: Door;
  readonly #disown: () => void;
  readonly #unfollow: () => void;
  /** By inbox and number; the first that wait are not begun yet. */
  readonly #taken = new Map<string, Taken>();
  readonly #waiting = new Set<Taken>();
  #running = 0;
  #isStarted = false;
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(source: RequestSource<T, R>, handler: ChannelRequestHandler<T, R> | URL, given?: ChannelRespondOptions) {
    const { core, name, label } = source;
    const { runtime } = core.driver;
    this.#settings = respondSettings(label, given);
    this.name = name;
    this.group = this.#settings.group;
    this.#source = source;
    this.#names = new RequestNames(source);
    this.#handler = invoked<T, ChannelRequestContext>(handler, {
      ...this.#settings,
      runtime,
      op: "channel.respond",
      errorOf: (thrown: Thrown) => refusalOf(thrown) ?? rebuilt(thrown),
    });
    this.#reports = new Reports(label, "HOLDFAST_CHANNEL", { onError: this.#settings.onError });
    this.#registration = new Registration({
      core,
      names: this.#names,
      group: this.group,
      leaseMs: this.#settings.leaseMs,
      call: this.#details(),
      receive: (bytes) => this.#receive(bytes),
      failed: (error) => this.#reports.error(error, undefined),
    });
    this.#door = new Door(core.handlers);
    this.#disown = core.own(this);
    this.#unfollow = onAbort(this.#settings.signal, () => void this.close());
    if (this.#settings.signal?.aborted === true) void this.close();
  }

  /** Resolves once it is registered. @throws ClosedError where it was ended before */
  async open(): Promise<void> {
    try {
      this.#throwIfClosed();
      await this.#registration.open();
      this.#throwIfClosed();
    } catch (error) {
      await this.close();
      throw error;
    }
    // Not in this tick: the caller has to have the responder in hand before its handler runs.
    this.#source.core.driver.runtime.setImmediate(() => {
      this.#isStarted = true;
      this.#next();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#door.waiting(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(bytes: Buffer): void {
    const frame = readRequest(bytes);
    if (frame === undefined) return;
    const id = `${frame.inbox} ${frame.number}`;
    if (frame.kind === "end") return this.#end(id, new AbortedError("its sender has given the request up"));
    if (this.#taken.has(id)) return;
    if (
      this.#waiting.size >= this.#settings.capacity &&
      (this.#running >= this.#handler.concurrency || !this.#isStarted)
    ) {
      void this.#reply(frame, "busy");
      return;
    }
    const { runtime } = this.#source.core.driver;
    const late = (): void => this.#end(id, new TimeoutError("its sender waits no more"));
    const timer = runtime.setTimeout(late, Math.min(frame.timeoutMs, 2 ** 31 - 1));
    const endsAt = runtime.now() + frame.timeoutMs;
    const taken = { frame, endsAt, controller: new AbortController(), timer };
    this.#taken.set(id, taken);
    this.#waiting.add(taken);
    this.#next();
  }

  /** Its sender waits no more: nothing is sent to it. */
  #end(id: string, reason: Error): void {
    const taken = this.#taken.get(id);
    if (taken === undefined) return;
    this.#forget(id, taken);
    taken.controller.abort(reason);
  }

  #forget(id: string, taken: Taken): void {
    this.#source.core.driver.runtime.clearTimeout(taken.timer);
    this.#taken.delete(id);
    this.#waiting.delete(taken);
    this.#checkIdle();
  }

  #next(): void {
    if (!this.#isStarted) return;
    for (const taken of this.#waiting) {
      if (this.#running >= this.#handler.concurrency) return;
      this.#waiting.delete(taken);
      this.#running += 1;
      void this.#handle(taken);
    }
  }

  async #handle(taken: Taken): Promise<void> {
    const { frame, endsAt, controller } = taken;
    const id = `${frame.inbox} ${frame.number}`;
    // Not in the connection's own stack.
    await Promise.resolve();
    const answer = await this.#answer(frame, endsAt, controller.signal);
    // Else its sender waits no more.
    if (this.#taken.get(id) === taken) {
      await this.#reply(frame, answer.status, answer.payload);
      this.#forget(id, taken);
    }
    this.#running -= 1;
    this.#next();
    this.#checkIdle();
  }

  async #answer(frame: AskFrame, endsAt: number, signal: AbortSignal): Promise<Omit<ReplyFrame, "number">> {
    const { core, name, requests, replies } = this.#source;
    const raw = { channel: name, payload: frame.payload };
    let message: T;
    try {
      message = requests.decode(frame.payload, { aad: this.#names.aad });
    } catch (error) {
      this.#reports.error(error, raw);
      return this.#failed(frame, BAD_REQUEST);
    }
    let reply: R;
    try {
      const timeoutMs = Math.max(0, Math.ceil(endsAt - core.driver.runtime.now()));
      const context = { channel: name, group: this.group, timeoutMs, signal };
      reply = (await this.#door.enter(() => this.#handler.invoke(message, context))) as R;
    } catch (error) {
      if (!(error instanceof ChannelReplyError) && !signal.aborted) this.#reports.error(error, raw);
      return this.#failed(frame, failureOf(error));
    }
    try {
      const payload = replies.encode(reply, { aad: this.#names.replyAad(frame.inbox, frame.number) });
      return { status: "ok", payload };
    } catch (error) {
      this.#reports.error(error, raw);
      return this.#failed(frame, BAD_REPLY);
    }
  }

  #failed({ inbox, number }: AskFrame, failure: Failure): Omit<ReplyFrame, "number"> {
    const { failures } = this.#source;
    const context = { aad: this.#names.replyAad(inbox, number) };
    try {
      return { status: "failed", payload: failures.encode(failure, context) };
    } catch (error) {
      // Its sender is not to wait for what the handler has put into its refusal.
      this.#reports.error(error, undefined);
      return { status: "failed", payload: failures.encode(INTERNAL, context) };
    }
  }

  /** A reply that is sent twice is dropped there. */
  async #reply({ inbox, number }: AskFrame, status: ReplyFrame["status"], payload?: Buffer): Promise<void> {
    const target = this.#names.inbox(inbox);
    const command = ["SPUBLISH", target, replyFrame(number, status, payload)];
    try {
      await this.#source.core.driver.send(command, { ...this.#details(), class: "idempotent" }, target);
    } catch (error) {
      if (!(error instanceof ClosedError)) this.#reports.error(error, undefined);
    }
  }

  async #close(): Promise<void> {
    this.#unfollow();
    await this.#registration.close(this.#source.timeoutMs);
    await this.#drained();
    await this.#handler.release();
    this.#disown();
  }

  async #drained(): Promise<void> {
    const { runtime } = this.#source.core.driver;
    if (this.#isStarted && (this.#taken.size > 0 || this.#running > 0)) {
      const idle = new Promise<void>((resolve) => (this.#idle = resolve));
      await within(runtime, this.#settings.closeTimeoutMs, idle);
    }
    // Those that were not begun are nobody's: their senders may ask another.
    const unbegun = [...this.#waiting];
    for (const taken of unbegun) this.#forget(`${taken.frame.inbox} ${taken.frame.number}`, taken);
    await Promise.all(unbegun.map(({ frame }) => this.#reply(frame, "busy")));
    for (const { controller } of this.#taken.values()) controller.abort(this.#closed());
  }

  #checkIdle(): void {
    if (this.#taken.size === 0 && this.#running === 0) this.#idle?.();
  }

  #closed(): ClosedError {
    return new ClosedError("the responder was closed", { op: "channel.respond", key: this.name });
  }

  #throwIfClosed(): void {
    if (this.#closing !== undefined) throw this.#closed();
  }

  #details(): { readonly op: string; readonly key: string; readonly timeoutMs: number } {
    return { op: "channel.respond", key: this.name, timeoutMs: this.#source.timeoutMs };
  }
}
