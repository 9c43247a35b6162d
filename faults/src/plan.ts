/** What goes wrong in a scenario, and when: drawn from a seed, done to processes by the suite and to servers by their topology. */
import { setTimeout as sleep } from "node:timers/promises";
import { ticks } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { ServerFaultName } from "./servers/topology.ts";
import type { ScenarioOptions } from "./suite.ts";

export type Weights<Own extends string> = Readonly<Partial<Record<Own | ServerFaultName, number>>>;

/** From, to, in `ticks()`. */
export type Span = readonly [number, number];

/** What was answered so long before a failover may have been on the old primary alone. */
const UNREPLICATED_MS = 2_000;
const LOOK_MS = 200;
const MOVES: ReadonlySet<string> = new Set(["failover", "crash", "lose", "hang", "migrate"]);

export interface PlanTerms<Own extends string> {
  readonly random: Random;
  readonly weights: Weights<Own>;
  /** What happens to a server happens to that of one of these. */
  readonly keys: readonly string[];
  /** The suite's own faults. */
  readonly own: Readonly<Record<Own, (random: Random) => Promise<void>>>;
}

export class Plan<Own extends string> {
  readonly counts: Partial<Record<Own | ServerFaultName, number>> = {};
  /** When writes that were answered may have been taken back. */
  readonly losses: Span[] = [];
  /** Failovers that nobody asked for. */
  unasked = 0;
  readonly #options: ScenarioOptions;
  readonly #terms: PlanTerms<Own>;
  /** By key, the port of the server that it was last seen on. */
  readonly #owners = new Map<string, number>();
  #isMoving = false;

  constructor(options: ScenarioOptions, terms: PlanTerms<Own>) {
    this.#options = options;
    this.#terms = terms;
  }

  /** Each fault, its target and the pause before it are drawn before the next one, so that a seed has one sequence. */
  async run(): Promise<void> {
    const { random, weights } = this.#terms;
    const watch = setInterval(() => void this.#look(), LOOK_MS);
    const until = performance.now() + this.#options.seconds * 1_000;
    try {
      for (;;) {
        const pauseMs = random.integer(100, 1_500);
        const fault = random.weighted<Own | ServerFaultName>(weights);
        const draws = random.fork();
        const leftMs = until - performance.now();
        await sleep(Math.max(Math.min(pauseMs, leftMs), 0));
        if (leftMs <= pauseMs) return;
        this.#options.log(fault);
        this.counts[fault] = (this.counts[fault] ?? 0) + 1;
        await this.#cause(fault, draws);
      }
    } finally {
      clearInterval(watch);
    }
  }

  /** On a busy machine servers take each other for dead without our doing. */
  async #look(): Promise<void> {
    for (const key of this.#terms.keys) {
      const seen = await this.#options.topology.ownerSeen(key).catch(() => undefined);
      const known = this.#owners.get(key);
      if (seen === undefined || seen === known) continue;
      const isUnasked = known !== undefined && !this.#isMoving;
      this.#owners.set(key, seen);
      if (!isUnasked) continue;
      this.#options.log("a failover that nobody asked for");
      this.unasked += 1;
      this.losses.push([ticks() - UNREPLICATED_MS * 1_000, ticks() + UNREPLICATED_MS * 1_000]);
    }
  }

  async #cause(fault: Own | ServerFaultName, random: Random): Promise<void> {
    const { own, keys } = this.#terms;
    if (Object.hasOwn(own, fault)) return own[fault as Own](random);
    const { topology } = this.#options;
    const known = topology.faults[fault as ServerFaultName]!;
    const from = ticks() - UNREPLICATED_MS * 1_000;
    const key = keys.length === 1 ? keys[0]! : keys[random.integer(0, keys.length - 1)]!;
    this.#isMoving = MOVES.has(fault);
    await known.run({ topology, key, random });
    await this.#look();
    this.#isMoving = false;
    if (known.loses) this.losses.push([from, ticks()]);
  }
}
