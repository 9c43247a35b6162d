/**
 * One timer for every call: a hashed timer wheel (Varghese and Lauck, 1987) whose entries are the calls themselves.
 *
 * - Entries sit in circular doubly linked lists, so a settled call is unlinked in O(1) and is held by nothing.
 * - `add` reads no clock. A new entry waits in `incoming` and is dated at the next tick; most calls are settled by
 *   then and were never dated. A deadline is therefore never early, and at most three ticks late.
 * - All deadlines hang on one timer. Should it ever be lost (fake timers, a runtime that was frozen), an entry that is added
 *   more than a second after its last tick sets it again; that is looked at for the first entry and for every 64th.
 * - What is due expires in the check phase, after one poll for input: a reply that already lies in the socket's buffer
 *   wins over its deadline, also when the event loop was blocked past it.
 */
import type { Runtime, Timer } from "../../base/runtime.ts";

const TICK_MS = 5;
/** A power of two; the slot of a tick is `tick & MASK`. One round is about five seconds. */
const SLOTS = 1024;
const MASK = SLOTS - 1;
const UNDATED = -1;
/** A timer that is so late is lost. */
const LOST_TICKS = 200;
/** Of so many entries one looks whether the timer is lost. */
const LOOKS_EVERY = 64;

/** An entry of the wheel, and the head of each list. A node that is linked to itself is in no list. */
export class WheelNode {
  prev: WheelNode = this;
  next: WheelNode = this;
  /** Milliseconds from `add` to the deadline. */
  waitMs = 0;
  dueTick: number = UNDATED;

  /** Called once, when the node is due; it is out of the wheel by then. */
  expire(): void {}
}

export class DeadlineWheel {
  /** Called whenever the last entry has left. */
  onEmpty: (() => void) | undefined = undefined;
  #size = 0;
  readonly #incoming = new WheelNode();
  readonly #slots: readonly WheelNode[] = Array.from({ length: SLOTS }, () => new WheelNode());
  readonly #expired = new WheelNode();
  #lastTick = 0;
  #added = 0;
  /** Runs only while there are entries, and does not keep the process alive. */
  #timer: Timer | undefined = undefined;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get entries(): number {
    return this.#size;
  }

  add(node: WheelNode, waitMs: number): void {
    node.waitMs = waitMs;
    node.dueTick = UNDATED;
    this.#link(this.#incoming, node);
  }

  /** The tick of the node's deadline. Dates a node that is still incoming. */
  dueTickOf(node: WheelNode): number {
    if (node.dueTick === UNDATED) node.dueTick = this.tickIn(node.waitMs);
    return node.dueTick;
  }

  /** The first tick that is at least `ms` away. */
  tickIn(ms: number): number {
    return Math.ceil((this.#runtime.now() + ms) / TICK_MS);
  }

  /** Moves a node, in the wheel or not, to a tick of its own. */
  schedule(node: WheelNode, dueTick: number): void {
    this.remove(node);
    node.dueTick = dueTick;
    this.#link(this.#slotOf(dueTick), node);
  }

  remove(node: WheelNode): void {
    if (node.next === node) return;
    unlink(node);
    this.#size -= 1;
    if (this.#size === 0) this.onEmpty?.();
  }

  /** Every entry, oldest lists first; for closing. */
  nodes(): WheelNode[] {
    const all: WheelNode[] = [];
    for (const head of [this.#expired, ...this.#slots, this.#incoming]) {
      for (let node = head.next; node !== head; node = node.next) all.push(node);
    }
    return all;
  }

  #link(head: WheelNode, node: WheelNode): void {
    if (this.#timer === undefined) this.#start();
    else if (this.#size === 0 || this.#isLooking()) this.#revive();
    append(head, node);
    this.#size += 1;
  }

  #start(): void {
    this.#lastTick = this.#currentTick();
    this.#timer = this.#runtime.setInterval(this.#tick, TICK_MS);
  }

  #isLooking(): boolean {
    this.#added += 1;
    return this.#added % LOOKS_EVERY === 0;
  }

  /** The next tick comes to everything that became due meanwhile. */
  #revive(): void {
    if (this.#currentTick() - this.#lastTick <= LOST_TICKS) return;
    this.#runtime.clearInterval(this.#timer);
    this.#timer = this.#runtime.setInterval(this.#tick, TICK_MS);
  }

  /** The timer would end by itself at the next tick; a driver that closes leaves none behind. */
  stop(): void {
    this.#runtime.clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #currentTick(): number {
    return Math.floor(this.#runtime.now() / TICK_MS);
  }

  readonly #tick = (): void => {
    if (this.#size === 0) {
      this.stop();
      return;
    }
    const now = this.#currentTick();
    // After a stall more ticks may have passed than there are slots: one visit to each is enough.
    for (let tick = Math.max(this.#lastTick, now - SLOTS) + 1; tick <= now; tick++) this.#collectDue(tick, now);
    this.#lastTick = now;
    this.#dateIncoming();
    if (this.#expired.next !== this.#expired) this.#runtime.setImmediate(this.#expireCollected);
  };

  #collectDue(tick: number, now: number): void {
    const head = this.#slots[tick & MASK]!;
    for (let node = head.next; node !== head;) {
      const next = node.next;
      if (node.dueTick <= now) {
        unlink(node);
        append(this.#expired, node);
      }
      node = next;
    }
  }

  #dateIncoming(): void {
    const head = this.#incoming;
    for (let node = head.next; node !== head; node = head.next) {
      unlink(node);
      append(this.#slotOf(this.dueTickOf(node)), node);
    }
  }

  readonly #expireCollected = (): void => {
    const head = this.#expired;
    for (let node = head.next; node !== head; node = head.next) {
      this.remove(node);
      node.expire();
    }
  };

  /** A tick that was already visited would wait for a whole round: such a node goes to the next one. */
  #slotOf(tick: number): WheelNode {
    return this.#slots[Math.max(tick, this.#lastTick + 1) & MASK]!;
  }
}

function append(head: WheelNode, node: WheelNode): void {
  const last = head.prev;
  node.prev = last;
  node.next = head;
  last.next = node;
  head.prev = node;
}

function unlink(node: WheelNode): void {
  node.prev.next = node.next;
  node.next.prev = node.prev;
  node.prev = node;
  node.next = node;
}
