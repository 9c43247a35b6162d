/**
 * One responder as the server knows it: a sharded channel of its own, so that its end is known at once, and an entry in its group's registry.
 *
 * It registers again with each third of its lease, after each reconnection, and when somebody who asks finds nobody registered (FLUSHALL, eviction).
 */
import { ClosedError, isOutage } from "../../base/errors.ts";
import { type Timer, within } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import { runScript } from "../../core/script/run.ts";
import type { Call, Subscription } from "../../driver/port.ts";
import { register } from "../scripts.gen.ts";
import type { RequestNames } from "./source.ts";

export interface RegistrationTerms {
  readonly core: Core;
  readonly names: RequestNames;
  readonly group: string;
  readonly leaseMs: number;
  readonly call: Omit<Call, "class">;
  readonly receive: (bytes: Buffer) => void;
  /** A registration that failed, and not for an outage. */
  readonly failed: (error: unknown) => void;
}

export class Registration {
  readonly #terms: RegistrationTerms;
  readonly #id: string;
  readonly #stop = new AbortController();
  #subscriptions: Promise<Subscription[]> | undefined;
  #heartbeat: Timer | undefined;
  /** Under way. */
  #registering: Promise<void> | undefined;

  constructor(terms: RegistrationTerms) {
    this.#terms = terms;
    this.#id = terms.core.driver.runtime.randomBytes(12).toString("base64url");
  }

  /** Resolves once requests can arrive. */
  async open(): Promise<void> {
    const { core, names, leaseMs, receive } = this.#terms;
    this.#subscriptions = Promise.all([
      this.#subscribe(names.to + this.#id, receive),
      this.#subscribe(names.call, () => this.#renew()),
    ]);
    await this.#subscriptions;
    await this.#register();
    if (this.#stop.signal.aborted) return;
    this.#heartbeat = core.driver.runtime.setInterval(() => this.#renew(), leaseMs / 3);
    this.#heartbeat.unref();
  }

  /** Resolves when nothing comes any more, and all that was sent is here; no later than `ms`, or when the connection is gone. */
  async close(ms: number): Promise<void> {
    const { runtime } = this.#terms.core.driver;
    runtime.clearInterval(this.#heartbeat);
    const left = this.#leave();
    this.#stop.abort(new ClosedError("the responder was closed", this.#terms.call));
    await within(runtime, ms, left);
  }

  async #leave(): Promise<void> {
    const { core, names, group, call } = this.#terms;
    const subscriptions = await this.#subscriptions?.catch(() => undefined);
    if (subscriptions === undefined) return;
    await this.#registering?.catch(() => undefined);
    const responders = names.responders(group);
    const leave = core.driver.send(["ZREM", responders, this.#id], { ...call, class: "idempotent" }, responders);
    await leave.catch(() => undefined);
    await Promise.all(subscriptions.map((each) => each.close().catch(() => undefined)));
  }

  #subscribe(channel: string, message: (bytes: Buffer) => void): Promise<Subscription> {
    const { core, call } = this.#terms;
    const listener = { message, gap: () => this.#renew() };
    const { signal } = this.#stop;
    return core.driver.subscribe("sharded", channel, listener, { ...call, class: "idempotent", signal });
  }

  /** What fails is tried again with the next heartbeat, and after the next reconnection. */
  #renew(): void {
    if (this.#stop.signal.aborted) return;
    this.#register().catch((error: unknown) => {
      if (!isOutage(error) && !(error instanceof ClosedError)) this.#terms.failed(error);
    });
  }

  /** One at a time: whoever comes meanwhile has its outcome. */
  #register(): Promise<void> {
    this.#registering ??= this.#run().finally(() => (this.#registering = undefined));
    return this.#registering;
  }

  async #run(): Promise<void> {
    const { core, names, group, leaseMs, call } = this.#terms;
    const keys = { responders: names.responders(group), groups: names.groups };
    await runScript(core.driver, register, keys, { group, id: this.#id, leaseMs }, call);
  }
}
