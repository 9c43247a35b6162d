/** A member of a room, as whoever joined sees it. */
import type { LeaseLostError } from "../base/errors.ts";
import { nextTick } from "../base/runtime.ts";
import type { Operations } from "../core/observe/observe.ts";
import type { Attendance, Seat } from "./attendance.ts";
import type { ChangeOutcome } from "./node.ts";
import { leaving, type PresenceLeaveOptions } from "./options.ts";
import type { PresenceStore } from "./store.ts";

/** `expired`: it had been lost, or has left; `stolen`: the same device has joined again since. Nothing was changed then. */
export interface PresenceUpdateResult {
  readonly status: "ok" | "expired" | "stolen";
}

export type PresenceLeaveResult = PresenceUpdateResult;

/** What a membership stands on. */
export interface MembershipHome<Meta> {
  readonly operations: Operations;
  readonly store: PresenceStore<Meta>;
  readonly attendance: Attendance;
}

interface MembershipTerms<Meta> {
  readonly user: string;
  readonly device: string;
  readonly meta: Meta | undefined;
  readonly rejoin: boolean;
  readonly onChange: ((present: boolean) => void) | undefined;
}

/**
 * What `join` returns. It lasts until it leaves, or is lost: then its `signal` aborts.
 * @example
 * const me = await hf.presence<{ name: string }>("room:1").join("ada", { meta: { name: "Ada" } });
 * if (me.status === "ok") socket.on("close", () => me.leave());
 */
export class PresenceMembership<Meta> implements AsyncDisposable {
  readonly status = "ok" as const;
  readonly user: string;
  readonly device: string;
  readonly #home: MembershipHome<Meta>;
  readonly #seat: Seat;
  readonly #onChange: ((present: boolean) => void) | undefined;
  #meta: Meta | undefined;
  /** Made when somebody asks for the signal. */
  #abort: AbortController | undefined;
  #reason: LeaseLostError | undefined;
  #isOut = false;

  constructor(home: MembershipHome<Meta>, { user, device, meta, rejoin, onChange }: MembershipTerms<Meta>) {
    this.#home = home;
    this.user = user;
    this.device = device;
    this.#meta = meta;
    this.#onChange = onChange;
    const out = (reason: LeaseLostError | undefined): void => this.#out(reason);
    this.#seat = { user, device, rejoin, meta: home.store.encode(meta), out, back: () => this.#back() };
  }

  /** @internal */
  static enter<Meta>(membership: PresenceMembership<Meta>): Promise<ChangeOutcome> {
    return membership.#home.attendance.join(membership.#seat);
  }

  /**
   * Aborts, with a LeaseLostError as its reason, when it is lost for good: the same device has joined again (`stolen`), it could
   * not be kept and `rejoin` is off, or the room is full when it comes back (`expired`), the handle is closed. Not when it leaves.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** Whether it is in the room for certain, known without the server; false while it is on its way back. */
  get present(): boolean {
    return this.#home.attendance.isPresent(this.#seat);
  }

  /** What it joined with or was updated to since. */
  get meta(): Meta | undefined {
    return this.#meta;
  }

  /**
   * Replaces what the others see of it; of several in the same tick the last is sent.
   * Cost: one script, shared with what else this process changes in the room in the same tick.
   * @throws UnavailableError or TimeoutError if no server answers; it is sent once one does
   */
  update(meta: Meta): Promise<PresenceUpdateResult> {
    const { operations, store, attendance } = this.#home;
    return operations.run("update", store.room, async () => {
      const bytes = store.encode(meta);
      if (this.#reason !== undefined) return { status: this.#ended };
      this.#seat.meta = bytes;
      this.#meta = meta;
      return { status: (await attendance.update(this.#seat)) === "done" ? "ok" : this.#ended };
    });
  }

  /**
   * Leaves. The others see that when the grace is over, unless the device is back by then. Idempotent.
   * Cost: as `update`.
   * @throws UnavailableError or TimeoutError if no server answers; it leaves once one does, or by its ttl
   */
  leave(options?: PresenceLeaveOptions): Promise<PresenceLeaveResult> {
    const { operations, store, attendance } = this.#home;
    return operations.run("leave", store.room, async () => {
      const graceMs = leaving(options) ?? store.settings.graceMs;
      return { status: (await attendance.leave(this.#seat, graceMs)) === "done" ? "ok" : this.#ended };
    });
  }

  /** Leaves as well as it can, and never throws: the error of the block that ends is the one to see. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave().catch(() => undefined);
  }

  get #ended(): "expired" | "stolen" {
    return this.#reason?.reason === "stolen" ? "stolen" : "expired";
  }

  #out(reason: LeaseLostError | undefined): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const wasOut = this.#isOut;
    this.#isOut = true;
    if (!wasOut) this.#report(false);
    if (reason !== undefined) this.#abort?.abort(reason);
  }

  #back(): void {
    if (!this.#isOut || this.#reason !== undefined) return;
    this.#isOut = false;
    this.#report(true);
  }

  /** Not in this stack: what it throws is not to stop others. */
  #report(present: boolean): void {
    const onChange = this.#onChange;
    if (onChange !== undefined) nextTick(() => onChange(present));
  }
}
