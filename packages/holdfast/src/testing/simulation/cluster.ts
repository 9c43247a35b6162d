/**
 * Servers of a simulation as one cluster: each has a third of the slots, sends who asks for others elsewhere, and gives slots away key by
 * key while they are in use. As in a real cluster each server knows of a move in its own time, the others last.
 */
import {
  type ClusterView,
  keysInSlot,
  moveKey,
  type SeededRandom,
  type SlotRange,
  type VirtualClock,
} from "holdfast-embedded";
import type { Address } from "../../driver/connection/url.ts";
import { SLOTS, slotOf } from "../../driver/slot.ts";
import type { SimulatedServer } from "./server.ts";
import type { Trace } from "./trace.ts";

const PORT = 6379;
/** Between the servers. */
const BUS_MS = 0.5;
/** Pauses while a slot moves, before each key and before each server learns of it; longer ones are rarer. */
const LONGEST_STEP_MS = 100;
/** How often a move looks whether a server that is down is back. */
const RETRY_MS = 50;

interface Move {
  readonly from: number;
  readonly to: number;
}

export class SimulatedCluster {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #names: readonly string[];
  /** By server: who has each slot, as it knows. */
  readonly #known: Uint8Array[];
  readonly #moves = new Map<number, Move>();
  #servers: readonly SimulatedServer[] = [];

  constructor(names: readonly string[], clock: VirtualClock, random: SeededRandom, trace: Trace) {
    this.#clock = clock;
    this.#random = random;
    this.#trace = trace;
    this.#names = names;
    this.#known = names.map(() =>
      Uint8Array.from({ length: SLOTS }, (_, slot) => Math.floor((slot * names.length) / SLOTS)),
    );
  }

  /** Once they are made: each with `viewOf` its place. */
  join(servers: readonly SimulatedServer[]): void {
    this.#servers = servers;
  }

  get addresses(): readonly Address[] {
    return this.#names.map((host) => ({ host, port: PORT }));
  }

  viewOf(at: number): ClusterView {
    const ownerOf = (slot: number): number => this.#known[at]![slot]!;
    return {
      slotOf: (key) => slotOf(Buffer.from(key, "latin1")),
      ranges: () => this.#ranges(at),
      ownerOf: (slot) => (ownerOf(slot) === at ? undefined : this.#addressOf(ownerOf(slot))),
      leavingTo: (slot) => {
        const move = this.#moves.get(slot);
        return move?.from === at ? this.#addressOf(move.to) : undefined;
      },
      isArriving: (slot) => this.#moves.get(slot)?.to === at,
      published: (channel, message) => {
        for (const [other, server] of this.#servers.entries()) if (other !== at) server.hear(channel, message, BUS_MS);
      },
    };
  }

  /** Moves the slot of a key to another server. Resolves when every server knows; at once where it moves already. */
  async migrate(key: string, to: SimulatedServer): Promise<void> {
    await this.#move(slotOf(key), this.#servers.indexOf(to));
  }

  /** Moves a slot that has keys, if there is one. */
  async migrateAny(): Promise<void> {
    const engines = this.#servers.map(({ engine }) => engine);
    const keys = engines.flatMap((engine) =>
      engine
        .database(0)
        .all()
        .map(({ key }) => key),
    );
    if (keys.length === 0) return;
    const slot = slotOf(Buffer.from(this.#random.pick(keys), "latin1"));
    await this.#move(slot, this.#random.integer(0, this.#servers.length - 1));
  }

  async #move(slot: number, to: number): Promise<void> {
    const from = this.#known[to]![slot]!;
    if (this.#moves.has(slot) || from === to) return;
    this.#trace.note("cluster", `slot ${slot} leaves ${this.#names[from]} for ${this.#names[to]}`);
    this.#moves.set(slot, { from, to });
    const [source, target] = [this.#servers[from]!, this.#servers[to]!];
    for (;;) {
      await this.#step();
      if (!source.isUp || !target.isUp) continue;
      const [key] = keysInSlot(source.engine, slot);
      if (key === undefined) break;
      moveKey(source.engine, target.engine, key);
    }
    // First who has it, then who had it, then the others: else for a moment nobody would.
    this.#known[to]![slot] = to;
    await this.#step();
    this.#known[from]![slot] = to;
    this.#moves.delete(slot);
    this.#trace.note("cluster", `slot ${slot} is at ${this.#names[to]}`);
    for (const known of this.#known) {
      if (known[slot] === to) continue;
      await this.#step();
      known[slot] = to;
    }
  }

  #step(): Promise<void> {
    const ms = this.#servers.every(({ isUp }) => isUp) ? LONGEST_STEP_MS * this.#random.fraction() ** 3 : RETRY_MS;
    return new Promise((resolve) => void this.#clock.setTimer(ms, resolve));
  }

  #addressOf(at: number): string {
    return `${this.#names[at]}:${PORT}`;
  }

  #ranges(at: number): SlotRange[] {
    const known = this.#known[at]!;
    const ranges: SlotRange[] = [];
    for (let first = 0; first < SLOTS;) {
      const owner = known[first]!;
      let last = first;
      while (known[last + 1] === owner) last += 1;
      const host = this.#names[owner]!;
      ranges.push({ first, last, host, port: PORT, id: host });
      first = last + 1;
    }
    return ranges;
  }
}
