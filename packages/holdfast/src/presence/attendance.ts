/**
 * All members that one handle has in one room. They live by the node that they are in; when it is lost, those who want to join
 * again do so in the next one, and the others are lost with it.
 */
import { Deferred } from "../base/deferred.ts";
import { ClosedError, LeaseLostError, TimeoutError } from "../base/errors.ts";
import { deadline, within } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import type { Waiter } from "../core/wait/wakeups.ts";
import { type ChangeOutcome, type NodeOwner, PresenceNode, type Wanted } from "./node.ts";
import type { PresenceStore } from "./store.ts";

/** One member as its process knows it. */
export interface Seat {
  readonly user: string;
  readonly device: string;
  readonly rejoin: boolean;
  meta: Buffer;
  /** It is out of the room, for good where there is a reason. */
  out(reason: LeaseLostError | undefined): void;
  back(): void;
}

const BY_ANOTHER = "the same device has joined by another process";
/** A wake-up that was missed is found by the next heartbeat. */
const LISTEN_MS = 60_000;

export class Attendance implements NodeOwner {
  readonly #core: Core;
  readonly #store: PresenceStore<unknown>;
  readonly #label: string;
  readonly #seats = new Map<string, Seat>();
  /** Nodes of the same owner may take each other's members. */
  readonly #owner: string;
  readonly #onEmpty: () => void;
  #nodes = 0;
  #node: PresenceNode | undefined;
  /** Those whose last members are leaving. */
  readonly #retired = new Set<PresenceNode>();
  #waiter: Waiter | undefined;
  #isListening = false;
  #isClosed = false;

  /** @param onEmpty called when nothing is left of it */
  constructor(core: Core, store: PresenceStore<unknown>, onEmpty: () => void) {
    this.#core = core;
    this.#store = store;
    this.#label = `presence ${JSON.stringify(store.room)}`;
    this.#owner = core.driver.runtime.randomBytes(6).toString("base64url");
    this.#onEmpty = onEmpty;
  }

  /** Resolves with what the server says of it. Rejects when it cannot be asked; then it is not a member. */
  async join(seat: Seat): Promise<ChangeOutcome> {
    if (this.#isClosed || this.#core.isClosing)
      throw new ClosedError(undefined, { op: "presence.join", key: this.#store.room });
    const session = sessionOf(seat);
    this.#seats.get(session)?.out(this.#lost("stolen", "the same device has joined again"));
    this.#seats.set(session, seat);
    try {
      const { user, device, meta } = seat;
      return await this.#inTime("join", this.#present().want({ op: "+", user, device, payload: meta }));
    } catch (error) {
      this.leave(seat, 0).catch(() => undefined);
      throw error;
    }
  }

  /** `gone`: it is not a member, or not by this seat. */
  async update(seat: Seat): Promise<ChangeOutcome> {
    if (!this.#has(seat)) return "gone";
    const { user, device, meta } = seat;
    const node = this.#present();
    // Not there yet, or not any more: it comes with what it has by now.
    const op = node.holds(sessionOf(seat)) ? "=" : "~";
    return this.#inTime("update", node.want({ op, user, device, payload: meta }));
  }

  async leave(seat: Seat, graceMs: number): Promise<ChangeOutcome> {
    if (!this.#has(seat)) return "gone";
    const { user, device } = seat;
    const left = this.#present().want({ op: "-", user, device, payload: String(graceMs) });
    this.#remove(sessionOf(seat), seat);
    return this.#inTime("leave", left);
  }

  isPresent(seat: Seat): boolean {
    return this.#has(seat) && this.#node?.isHeld === true && this.#node.holds(sessionOf(seat));
  }

  lost(node: PresenceNode, left: readonly Wanted[]): void {
    if (this.#retired.delete(node)) {
      for (const { settled } of left) settled.resolve("gone");
      return this.#endIfEmpty();
    }
    if (this.#node === node) this.#node = undefined;
    const pending = new Map(left.map((wanted) => [wanted.session, wanted]));
    for (const [session, seat] of Array.from(this.#seats)) {
      const wanted = pending.get(session);
      pending.delete(session);
      if (node.holds(session)) this.#out(session, seat, wanted);
      // Still on its way in.
      else this.#again(seat, wanted?.op === "+" ? "+" : "~", wanted?.settled);
    }
    for (const { settled } of pending.values()) settled.resolve("gone");
    this.#endIfEmpty();
  }

  settled(_: PresenceNode, { op, session }: Wanted, outcome: ChangeOutcome): void {
    const seat = this.#seats.get(session);
    if (seat === undefined || op === "-") return;
    if (outcome === "done") return seat.back();
    this.#remove(session, seat);
    if (outcome === "gone") seat.out(this.#lost("stolen", BY_ANOTHER));
    else seat.out(this.#lost("expired", "there was no place for it any more"));
  }

  replaced(_: PresenceNode, sessions: readonly string[]): void {
    for (const session of sessions) {
      const seat = this.#seats.get(session);
      if (seat === undefined) continue;
      this.#remove(session, seat);
      seat.out(this.#lost("stolen", BY_ANOTHER));
    }
  }

  /** Leaves with all its members, if the server can be asked in time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { graceMs, timeoutMs } = this.#store.settings;
    for (const seat of Array.from(this.#seats.values())) {
      void this.leave(seat, graceMs).catch(() => undefined);
      seat.out(this.#lost("closed", "the handle was closed"));
    }
    const nodes = [...this.#retired];
    await within(this.#core.driver.runtime, timeoutMs, Promise.all(nodes.map((node) => node.idle())));
    for (const node of nodes) node.abandon();
    this.#stopListening();
  }

  #has(seat: Seat): boolean {
    return this.#seats.get(sessionOf(seat)) === seat;
  }

  #present(): PresenceNode {
    if (this.#node === undefined) {
      this.#nodes += 1;
      const id = `${this.#owner}.${this.#nodes}`;
      this.#node = new PresenceNode(this.#core.driver.runtime, this.#store, this, id);
      void this.#listen();
    }
    return this.#node;
  }

  #out(session: string, seat: Seat, wanted: Wanted | undefined): void {
    if (seat.rejoin && !this.#isClosed) {
      seat.out(undefined);
      if (this.#has(seat)) return this.#again(seat, "~", wanted?.settled);
    } else {
      this.#remove(session, seat);
      seat.out(this.#lost("expired", "the server has it no longer, or could not be asked before its ttl was over"));
    }
    wanted?.settled.resolve("gone");
  }

  #again(seat: Seat, op: "+" | "~", settled: Deferred<ChangeOutcome> = new Deferred()): void {
    const { user, device, meta } = seat;
    void this.#present()
      .want({ op, user, device, payload: meta }, settled)
      .catch(() => undefined);
  }

  #inTime(verb: string, outcome: Promise<ChangeOutcome>): Promise<ChangeOutcome> {
    const { room, settings } = this.#store;
    const late = (): TimeoutError => {
      const message = `${this.#label}: the server has not answered after ${settings.timeoutMs} ms`;
      return new TimeoutError(message, { op: `presence.${verb}`, key: room });
    };
    return deadline(this.#core.driver.runtime, settings.timeoutMs, outcome, late);
  }

  #remove(session: string, seat: Seat): void {
    if (this.#seats.get(session) !== seat) return;
    this.#seats.delete(session);
    if (this.#seats.size > 0) return;
    const node = this.#node;
    this.#node = undefined;
    if (node === undefined) return;
    this.#retired.add(node);
    node.retire();
    void this.#whenOver(node);
  }

  async #whenOver(node: PresenceNode): Promise<void> {
    await node.idle();
    if (this.#retired.delete(node)) this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.#seats.size > 0 || this.#node !== undefined || this.#retired.size > 0) return;
    this.#stopListening();
    this.#onEmpty();
  }

  /** The server calls the nodes of a room that has lost its data. */
  async #listen(): Promise<void> {
    if (this.#isListening) return;
    this.#isListening = true;
    try {
      const waiter = await this.#core.wakeups.join(this.#store.key);
      this.#waiter = waiter;
      // A call that came before was not heard.
      this.#node?.check();
      while (this.#isListening) {
        await waiter.next(LISTEN_MS);
        this.#node?.check();
      }
      waiter.leave();
    } catch {
      // The server is away: the next node listens, and until then there are heartbeats.
      this.#isListening = false;
    }
  }

  #stopListening(): void {
    this.#isListening = false;
    this.#waiter?.leave();
  }

  #lost(reason: LeaseLostError["reason"], why: string): LeaseLostError {
    return new LeaseLostError(reason, `${this.#label}: ${why}`, { key: this.#store.room });
  }
}

export function sessionOf({ user, device }: { readonly user: string; readonly device: string }): string {
  return `${user}\0${device}`;
}
