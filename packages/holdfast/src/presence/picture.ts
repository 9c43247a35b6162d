/**
 * Who is in a room, as one handle sees it, for all that watch it there.
 *
 *     broken -- subscribed, read page by page, what came meanwhile applied --> live: each change as it is published
 *            <-- a gap in the versions, another epoch, a connection that was lost, or the server is away
 *
 * Members whose process died are found by whoever looks at the time at which they are out: this does.
 */
import { ClosedError, isOutage } from "../base/errors.ts";
import { MAX_TIMER_MS } from "../base/options.ts";
import { type Timer, within } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import type { Subscription } from "../driver/port.ts";
import { type Devices, type RoomChange, type RoomMessage, roomMessage, Roster } from "./roster.ts";
import type { PresenceStore } from "./store.ts";

/** Who is told of changes. None of it may throw. */
export interface Onlooker {
  /** A user's devices have changed; before the first time since it last looked, what they were. */
  changed(user: string, before: Devices | undefined): void;
  /** All of it was read again. */
  reset(): void;
  stale(): void;
  failed(error: unknown): void;
}

const PAGE = 500;
/** How long a state is believed though no message came. */
const POLL_MS = 30_000;
/** So much after the time at which somebody is out it is looked, by one after the other. */
const SPREAD_MS = 200;
/** A message may come so much later than the answer that knows of it. */
const SETTLE_MS = 500;
const OUTAGE_PAUSE_MS = 200;
/** What comes while the room is read. */
const MAX_BUFFERED = 10_000;

export class Picture {
  readonly #core: Core;
  readonly #store: PresenceStore<unknown>;
  readonly #onIdle: () => void;
  readonly #onlookers = new Set<Onlooker>();
  readonly #offState: () => void;
  #roster = new Roster(0, 0);
  #isBroken = true;
  /** Those that come while it is read. */
  #buffer: RoomMessage[] | undefined;
  /** Rises when something may have been missed. */
  #gaps = 0;
  #subscription: Promise<Subscription> | undefined;
  #isNoticed = false;
  #resume: (() => void) | undefined;
  /** On the clock of the runtime. */
  #lookAt = Infinity;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(core: Core, store: PresenceStore<unknown>, onIdle: () => void) {
    this.#core = core;
    this.#store = store;
    this.#onIdle = onIdle;
    this.#offState = core.driver.onState(() => this.#notice());
    void this.#run();
  }

  /** Undefined while it is not known. */
  get roster(): Roster | undefined {
    return this.#isBroken ? undefined : this.#roster;
  }

  join(onlooker: Onlooker): void {
    this.#onlookers.add(onlooker);
  }

  leave(onlooker: Onlooker): void {
    this.#onlookers.delete(onlooker);
    if (this.#onlookers.size === 0) void this.close();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#offState();
    this.#onIdle();
    this.#resume?.();
    const subscription = this.#subscription?.then((opened) => opened.close()).catch(() => undefined);
    const { timeoutMs } = this.#store.settings;
    if (subscription !== undefined) await within(this.#core.driver.runtime, timeoutMs, subscription);
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      this.#isNoticed = false;
      try {
        await this.#subscribe();
        const dueMs = this.#isBroken ? await this.#load() : await this.#check();
        await this.#pause(dueMs);
      } catch (error) {
        if (this.#isClosed || error instanceof ClosedError) return;
        if (!isOutage(error)) return this.#fail(error);
        this.#break();
        for (const onlooker of this.#onlookers) onlooker.stale();
        await this.#pause(OUTAGE_PAUSE_MS * (0.5 + this.#core.driver.runtime.random()));
      }
    }
  }

  /** Live before it is read, else a change after that could be missed. */
  async #subscribe(): Promise<void> {
    const { room: key, channel, settings } = this.#store;
    const call = { op: "presence.watch", key, class: "idempotent", timeoutMs: settings.timeoutMs } as const;
    const listener = {
      message: (payload: Buffer) => this.#message(roomMessage(payload)),
      gap: () => this.#missed(),
    };
    this.#subscription ??= this.#core.driver.subscribe("sharded", channel, listener, call);
    try {
      await this.#subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
  }

  /** Pages are of different versions: what was published since the first is applied to all of them, and ends as it is now. */
  async #load(): Promise<number> {
    this.#buffer = [];
    const gaps = this.#gaps;
    try {
      const { roster, dueMs } = await this.#read();
      const messages = this.#buffer;
      this.#buffer = undefined;
      const isWhole = gaps === this.#gaps && messages.every((message) => roster.apply(message) !== "gap");
      // Once more, and at once.
      if (!isWhole) return 0;
      this.#roster = roster;
      this.#isBroken = false;
      for (const onlooker of this.#onlookers) onlooker.reset();
      return dueMs;
    } finally {
      this.#buffer = undefined;
    }
  }

  async #read(): Promise<{ readonly roster: Roster; readonly dueMs: number }> {
    let from: Buffer | string = "-";
    let first: Roster | undefined;
    for (;;) {
      const page = await this.#store.read("presence.watch", { from, to: "+", limit: PAGE });
      const roster: Roster = first?.epoch === page.epoch ? first : new Roster(page.epoch, page.version);
      // Begun again under another epoch meanwhile, from its first page.
      if (first !== undefined && roster !== first) {
        first = undefined;
        from = "-";
        continue;
      }
      first = roster;
      const last = roster.add(page.rows);
      if (page.rows.length < PAGE || last === undefined) return { roster, dueMs: this.#dueMs(page.dueMs) };
      from = Buffer.concat([Buffer.from("["), last, Buffer.from([1])]);
    }
  }

  /** Whether the server is where this is, and when somebody is out next. */
  async #check(): Promise<number> {
    const { epoch, version } = this.#roster;
    const seen = await this.#store.read("presence.watch");
    if (this.#isBroken) return 0;
    const now = this.#roster;
    if (seen.epoch === now.epoch) {
      if (epoch === now.epoch && seen.version < version) this.#missed();
      else if (seen.version > now.version) this.#settle(seen.version);
    } else if (now.epoch === epoch && now.version === version) {
      // A room that is empty, and was forgotten.
      if (now.users === 0 && seen.devices === 0) this.#roster = new Roster(seen.epoch, seen.version);
      else this.#missed();
    }
    return this.#isBroken ? 0 : this.#dueMs(seen.dueMs);
  }

  /** The messages up to that version are on their way, or lost. */
  #settle(version: number): void {
    const roster = this.#roster;
    const look = (): void => {
      if (this.#roster === roster && roster.version < version) this.#missed();
    };
    this.#core.driver.runtime.setTimeout(look, SETTLE_MS).unref();
  }

  #dueMs(dueMs: number): number {
    const { runtime } = this.#core.driver;
    return dueMs < 0 ? POLL_MS : Math.min(dueMs + 1 + SPREAD_MS * runtime.random(), POLL_MS);
  }

  #message(message: RoomMessage | undefined): void {
    if (this.#isClosed || message === undefined) return;
    if (message.dueMs >= 0) this.#lookWithin(this.#dueMs(message.dueMs));
    if (this.#buffer !== undefined) {
      if (this.#buffer.length < MAX_BUFFERED) this.#buffer.push(message);
      else this.#missed();
      return;
    }
    if (this.#isBroken) return;
    const changes: RoomChange[] = [];
    if (this.#roster.apply(message, changes) === "gap") return this.#missed();
    for (const { user, before } of changes) for (const onlooker of this.#onlookers) onlooker.changed(user, before);
  }

  #missed(): void {
    this.#break();
    this.#notice();
  }

  #break(): void {
    this.#gaps += 1;
    this.#isBroken = true;
  }

  #fail(error: unknown): void {
    for (const onlooker of this.#onlookers) onlooker.failed(error);
    void this.close();
  }

  #notice(): void {
    this.#isNoticed = true;
    this.#resume?.();
  }

  #lookWithin(ms: number): void {
    const at = this.#core.driver.runtime.now() + ms;
    if (at >= this.#lookAt) return;
    this.#lookAt = at;
    if (this.#resume !== undefined) this.#arm(ms);
  }

  #pause(ms: number): Promise<void> {
    this.#lookWithin(ms);
    const { runtime } = this.#core.driver;
    const leftMs = this.#lookAt - runtime.now();
    if (this.#isNoticed || this.#isClosed || leftMs <= 0) {
      this.#lookAt = Infinity;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#resume = () => {
        this.#resume = undefined;
        this.#lookAt = Infinity;
        runtime.clearTimeout(this.#timer);
        resolve();
      };
      this.#arm(leftMs);
    });
  }

  #arm(ms: number): void {
    const { runtime } = this.#core.driver;
    runtime.clearTimeout(this.#timer);
    this.#timer = runtime.setTimeout(() => this.#resume?.(), Math.min(ms, MAX_TIMER_MS));
  }
}
