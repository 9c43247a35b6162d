/**
 * Asks: one request, one responder, one reply or a word on why there is none.
 *
 *     ask.lua -- none --> no-responders        away --> asked again, for GRACE_MS --> none
 *             -- sent --> reply | busy | failed | deadline: nobody knows
 */
import { onAbort } from "../../base/abort.ts";
import { Deferred } from "../../base/deferred.ts";
import { AbortedError, OutcomeUnknownError, TimeoutError } from "../../base/errors.ts";
import { sleep } from "../../base/runtime.ts";
import { runScript } from "../../core/script/run.ts";
import type { Call } from "../../driver/port.ts";
import { ask } from "../scripts.gen.ts";
import { askFrame, endFrame, type ReplyFrame } from "./frames.ts";
import { type ChannelRequestAllOptions, requestAllSettings, type RequestSettings } from "./options.ts";
import { type Pending, type ReplyInbox, replyInbox } from "./reply-inbox.ts";
import { INTERNAL } from "./reply-error.ts";
import { RequestNames, type RequestSource } from "./source.ts";

export type ChannelRequestResult<R> =
  | { readonly status: "ok"; readonly reply: R }
  /** Nobody answers for this group. */
  | { readonly status: "no-responders" }
  /** The responder has more requests waiting than it takes; it has not begun with this one. */
  | { readonly status: "busy" }
  /** The handler refused it (its ChannelReplyError), or failed: then `code` is `internal`, `bad-request` or `bad-reply`. */
  | { readonly status: "failed"; readonly code: string; readonly message: string };

export type ChannelRequestAllResult<R> =
  | Exclude<ChannelRequestResult<R>, { status: "no-responders" }>
  /** The deadline passed, or the answer was lost: it may have been handled, or may still be. */
  | { readonly status: "unknown" };

/** How long it is waited for responders that are between two connections, or have lost their registration. */
const GRACE_MS = 1_000;
const FIRST_PAUSE_MS = 5;
const MAX_GROUPS = 100;

type Sent = { readonly status: "sent"; readonly responder: string | undefined; readonly cause?: unknown };

export class Requester<T, R> {
  readonly #source: RequestSource<T, R>;
  readonly #names: RequestNames;
  #turn: number;

  constructor(source: RequestSource<T, R>) {
    this.#source = source;
    this.#names = new RequestNames(source);
    this.#turn = Math.floor(source.core.driver.runtime.random() * 1_000_000);
  }

  async request(message: T, settings: RequestSettings): Promise<ChannelRequestResult<R>> {
    const { core, name, requests } = this.#source;
    if (settings.signal?.aborted === true) throw this.#aborted(settings.signal.reason);
    const payload = requests.encode(message, { aad: this.#names.aad });
    const inbox = replyInbox(core);
    const exchange = new Exchange(name);
    const number = inbox.add(exchange, { op: "channel.request", key: name });
    const { runtime } = core.driver;
    const endsAt = runtime.now() + settings.timeoutMs;
    const timer = runtime.setTimeout(() => exchange.expired(settings.timeoutMs), settings.timeoutMs);
    const unfollow = onAbort(settings.signal, (reason) => exchange.givenUp(this.#aborted(reason)));
    let sent: Sent | { readonly status: "none" } | undefined;
    try {
      const opening = inbox.open();
      // The first one opens it for all; each has its own deadline.
      if (opening !== undefined) await Promise.race([opening, exchange.outcome.promise]);
      sent = await this.#send({ inbox, number, payload, endsAt, settings, exchange });
      if (sent.status === "none") return { status: "no-responders" };
      exchange.sent = sent;
      return this.#read(await exchange.outcome.promise, inbox.id);
    } finally {
      runtime.clearTimeout(timer);
      unfollow();
      inbox.remove(number);
      if (sent?.status === "sent" && exchange.isGivenUp) this.#giveUp(inbox.id, number, sent.responder);
    }
  }

  /** One request to each group that has responders. */
  async requestAll(
    message: T,
    given: ChannelRequestAllOptions | undefined,
  ): Promise<Map<string, ChannelRequestAllResult<R>>> {
    const settings = requestAllSettings(this.#source.label, given, this.#source.timeoutMs);
    const groups = await this.#groups(settings);
    const { runtime } = this.#source.core.driver;
    const begun = runtime.now();
    const results = new Map<string, ChannelRequestAllResult<R>>();
    const one = async (group: string): Promise<void> => {
      const timeoutMs = Math.max(1, settings.timeoutMs - (runtime.now() - begun));
      const result = await this.request(message, { ...settings, timeoutMs, group }).catch((error: unknown) => {
        if (error instanceof OutcomeUnknownError) return { status: "unknown" } as const;
        throw error;
      });
      if (result.status !== "no-responders") results.set(group, result);
    };
    await Promise.all(groups.map(one));
    return results;
  }

  async #groups({ timeoutMs, signal }: Omit<RequestSettings, "group">): Promise<string[]> {
    const { core, name } = this.#source;
    const { driver } = core;
    const call: Call = { op: "channel.requestAll", class: "read", key: name, timeoutMs, signal };
    const endsAt = driver.runtime.now() + Math.min(GRACE_MS, timeoutMs / 2);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      const stored = await driver.send(
        ["ZRANGE", this.#names.groups, "0", String(MAX_GROUPS - 1)],
        call,
        this.#names.groups,
      );
      const groups = (stored as Buffer[]).map(String);
      if (groups.length > 0 || driver.runtime.now() >= endsAt) return groups;
      const heard = await driver.send(
        ["SPUBLISH", this.#names.call, ""],
        { ...call, class: "idempotent" },
        this.#names.call,
      );
      if (Number(heard) === 0) return [];
      await sleep(driver.runtime, pauseMs, signal);
    }
  }

  async #send(terms: {
    readonly inbox: ReplyInbox;
    readonly number: number;
    readonly payload: Buffer;
    readonly endsAt: number;
    readonly settings: RequestSettings;
    readonly exchange: Exchange;
  }): Promise<Sent | { readonly status: "none" }> {
    const { inbox, number, payload, endsAt, settings, exchange } = terms;
    const { core, name } = this.#source;
    const { runtime } = core.driver;
    const graceEndsAt = Math.min(runtime.now() + GRACE_MS, endsAt);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      const leftMs = Math.ceil(endsAt - runtime.now());
      if (leftMs < 1 || exchange.isSettled) return { status: "sent", responder: undefined };
      const { signal, group } = settings;
      const call = { op: "channel.request", key: name, timeoutMs: leftMs, signal };
      const last = runtime.now() >= graceEndsAt;
      const frame = askFrame({ inbox: inbox.id, number, timeoutMs: leftMs, payload });
      this.#turn += 1;
      const { to, call: all } = this.#names;
      const args = { to, call: all, turn: this.#turn, last, frame };
      exchange.isOnItsWay = true;
      try {
        const result = await runScript(core.driver, ask, { responders: this.#names.responders(group) }, args, call);
        if (result.status === "sent" || result.status === "none") return result;
        exchange.isOnItsWay = false;
      } catch (cause) {
        // It may have been handed over all the same: the reply says so, if one comes.
        if (cause instanceof OutcomeUnknownError) return { status: "sent", responder: undefined, cause };
        throw cause;
      }
      if (!last) await sleep(runtime, Math.min(pauseMs, Math.max(0, graceEndsAt - runtime.now())), signal);
    }
  }

  #read(frame: ReplyFrame, inbox: string): ChannelRequestResult<R> {
    const { replies, failures } = this.#source;
    const context = { aad: this.#names.replyAad(inbox, frame.number) };
    if (frame.status === "busy") return { status: "busy" };
    if (frame.status === "failed") {
      return { ...INTERNAL, ...failures.decode(frame.payload, context), status: "failed" };
    }
    return { status: "ok", reply: replies.decode(frame.payload, context) };
  }

  /** As far as it is known who is at it; its own timer ends it otherwise. */
  #giveUp(inbox: string, number: number, responder: string | undefined): void {
    if (responder === undefined) return;
    const target = this.#names.to + responder;
    const call = { op: "channel.request", class: "idempotent", key: this.#source.name } as const;
    this.#source.core.driver
      .send(["SPUBLISH", target, endFrame({ inbox, number })], call, target)
      .catch(() => undefined);
  }

  #aborted(cause: unknown): AbortedError {
    return new AbortedError(`${this.#source.label}: the request was given up by its signal`, {
      op: "channel.request",
      key: this.#source.name,
      cause,
    });
  }
}

/** One request and what becomes of it. */
class Exchange implements Pending {
  readonly outcome = new Deferred<ReplyFrame>();
  readonly #name: string;
  /** Whether a responder may have it. */
  isOnItsWay = false;
  isSettled = false;
  isGivenUp = false;
  sent: Sent | undefined;

  constructor(name: string) {
    this.#name = name;
    // Where it fails before anybody waits for the reply, its sender hears of that instead.
    this.outcome.promise.catch(() => undefined);
  }

  replied(frame: ReplyFrame): void {
    this.isSettled = true;
    this.outcome.resolve(frame);
  }

  expired(ms: number): void {
    this.#lost(`no reply came within ${ms} ms`);
  }

  closed(): void {
    this.#lost("the handle was closed before the reply came");
  }

  givenUp(error: Error): void {
    this.isGivenUp = true;
    this.fail(error);
  }

  fail(error: Error): void {
    this.isSettled = true;
    this.outcome.reject(error);
  }

  #lost(what: string): void {
    const details = { op: "channel.request", key: this.#name, cause: this.sent?.cause };
    const about = `channel ${JSON.stringify(this.#name)}: ${what}`;
    this.fail(
      this.isOnItsWay
        ? new OutcomeUnknownError(`${about}; the request may have been handled, or may still be`, details)
        : new TimeoutError(`${about}; nobody was asked`, details),
    );
  }
}
