/** The server's side of one room. */
import type { Core } from "../core/core.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import { InvalidArgumentError, said, UnavailableError } from "../base/errors.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import type { PresenceSettings } from "./options.ts";
import { beat, type BeatResult, change, type ChangeResult, read, type ReadResult } from "./scripts.gen.ts";

export type StoredRoom = Extract<ReadResult, { status: "room" }>;

/** One item of a change: `+` joins, `~` joins again, `=` changes, `-` leaves. */
export interface PresenceChange {
  readonly op: "+" | "~" | "=" | "-";
  readonly user: string;
  readonly device: string;
  /** Of `-`: the grace in milliseconds. */
  readonly payload: Buffer | string;
}

/** What a read is of: the bounds of a range of the members, as for `ZRANGE BYLEX`, and how many. */
export interface PresenceRange {
  readonly from: Buffer | string;
  readonly to: Buffer | string;
  readonly limit: number;
}

/** Beyond any ttl, a room that is in use is kept for so long without a heartbeat, for those who look later. */
const KEEP_MS = 600_000;
/** Of clocks, and of a server that was slow to take a request in. */
const LATE_MS = 1_000;
/** Each takes out so many that the largest room is done with far earlier. */
const MAX_SWEEPS = 4_000;
/** The most devices of one user in any process's options. */
const MOST_DEVICES = 1_000;

const NOTHING: Buffer = Buffer.alloc(0);

export class PresenceStore<Meta> {
  readonly room: string;
  /** On which every change is announced. */
  readonly channel: string;
  readonly key: string;
  readonly settings: PresenceSettings<Meta>;
  readonly #core: Core;
  readonly #keepMs: number;

  constructor(core: Core, room: string, settings: PresenceSettings<Meta>) {
    this.#core = core;
    this.room = room;
    this.settings = settings;
    const keys = core.keys.group("presence", room);
    this.key = keys.key;
    this.channel = keys.part("changes");
    this.#keepMs = 3 * settings.ttlMs + settings.graceMs + settings.timeoutMs + KEEP_MS;
  }

  async change(node: string, seq: number, changes: readonly PresenceChange[], retire: boolean): Promise<ChangeResult> {
    const { ttlMs, graceMs, maxMembers, maxDevices } = this.settings;
    const items = changes.flatMap(({ op, user, device, payload }) => [op, user, device, payload]);
    const common = { ttlMs: ttlMs + graceMs, ...this.#common() };
    const args = { node, seq, untilMs: await this.#untilMs(), ...common, maxMembers, maxDevices, retire, items };
    return runScript(this.#core.driver, change, { room: this.key }, args, this.#call("presence.change"));
  }

  beat(node: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<BeatResult> {
    const { ttlMs, graceMs } = this.settings;
    const args = { node, ttlMs: ttlMs + graceMs, ...this.#common() };
    const call = { ...this.#call("presence.beat"), timeoutMs, signal };
    return runScript(this.#core.driver, beat, { room: this.key }, args, call);
  }

  /** Whose time is over is taken out before. */
  async read(op: string, { from, to, limit }: PresenceRange = { from: "-", to: "+", limit: 0 }): Promise<StoredRoom> {
    const args = { from, to, limit, maxDevices: MOST_DEVICES, ...this.#common() };
    let result: ReadResult = { status: "more" };
    for (let sweeps = 0; result.status === "more" && sweeps < MAX_SWEEPS; sweeps += 1) {
      result = await runScript(this.#core.driver, read, { room: this.key }, args, this.#call(op));
    }
    if (result.status === "room") return result;
    throw new UnavailableError(`${op}: the room has been lost again and again`, { op, key: this.room });
  }

  /** Which of them, each `<user>\0<device>`, this node does not hold. */
  async notHeld(node: string, sessions: readonly string[]): Promise<string[]> {
    const members = `${this.key}:members`;
    const rows = sessions.map((session) => `${session}\0${node}`);
    const call = { ...this.#call("presence.held"), class: "read" } as const;
    const scores = (await this.#core.driver.send(["ZMSCORE", members, ...rows], call, members)) as unknown[];
    return sessions.filter((_, at) => scores[at] === null);
  }

  /** @throws InvalidArgumentError for one that is too long, CodecError for one that cannot be encoded */
  encode(meta: Meta | undefined): Buffer {
    if (meta === undefined) return NOTHING;
    const bytes = this.settings.codec.encode(meta, { aad: this.key });
    const { maxMetaBytes } = this.settings;
    if (bytes.length <= maxMetaBytes) return bytes;
    const expected = `at most ${maxMetaBytes} bytes when encoded (see maxMetaBytes)`;
    throw new InvalidArgumentError("meta", expected, said(`${bytes.length}`));
  }

  decode(bytes: Buffer): Meta | undefined {
    return bytes.length === 0 ? undefined : this.settings.codec.decode(bytes, { aad: this.key });
  }

  /** Another server's clock may count from now on. */
  forgetClock(): void {
    ServerClock.of(this.#core.driver).forget();
  }

  /** By the server's clock; 0 where a request that was given up is never executed late. */
  async #untilMs(): Promise<number> {
    if (!this.#core.lateCopies) return 0;
    const details = { op: "presence.change", key: this.room };
    const label = `presence ${JSON.stringify(this.room)}`;
    return (
      Math.ceil(await ServerClock.of(this.#core.driver).required(label, details)) + this.settings.timeoutMs + LATE_MS
    );
  }

  #common(): { keepMs: number; channel: string; wakeChannel: string } {
    return { keepMs: this.#keepMs, channel: this.channel, wakeChannel: this.#core.wakeups.channel };
  }

  #call(op: string): UnclassedCall {
    return { op, key: this.room, timeoutMs: this.settings.timeoutMs };
  }
}
