/** The processes of one scenario: workers, which consume, and producers. One that dies, by us or by itself, is replaced. */
import { existsSync, statSync } from "node:fs";
import { until } from "../../packages/holdfast/test/support/servers.ts";
import { Member } from "./fleet.ts";
import type { Random } from "./random.ts";

const WORKERS = 3;
const PRODUCERS = 2;
/** Each other member's clock is right. */
const SKEWS_MS = [60_000, -60_000, 0];
/** On a machine that has much else to do. */
const BEGIN_MS = 60_000;
const END_MS = 30_000;

/** What each process is given; the seed is then its own. */
export interface CrewConfig {
  readonly seed: number;
}

export interface CrewPrograms {
  readonly worker: string;
  readonly producer: string;
}

export class Crew {
  /** All that there have been. */
  readonly workers: Member[] = [];
  readonly producers: Member[] = [];
  readonly #folder: string;
  readonly #config: CrewConfig;
  readonly #programs: CrewPrograms;
  #watch: NodeJS.Timeout | undefined;
  #producersWanted = PRODUCERS;

  constructor(folder: string, config: CrewConfig, programs: CrewPrograms) {
    this.#folder = folder;
    this.#config = config;
    this.#programs = programs;
  }

  get livingWorkers(): Member[] {
    return this.workers.filter(({ isAlive }) => isAlive);
  }

  start(): void {
    this.#fill();
    // A deadly job ends a worker behind our back.
    this.#watch = setInterval(() => this.#fill(), 100);
  }

  /** Resolves when each of them has written something. */
  async ready(): Promise<void> {
    const living = [...this.livingWorkers, ...this.producers];
    await until(
      "all processes have begun",
      () => living.every(({ ledger, isAlive }) => !isAlive || (existsSync(ledger) && statSync(ledger).size > 0)),
      BEGIN_MS,
    );
  }

  replaceWorker(random: Random): Promise<void> {
    return replace(this.livingWorkers, random, () => this.#fill());
  }

  replaceProducer(random: Random): Promise<void> {
    const living = this.producers.filter(({ isAlive }) => isAlive);
    return replace(living, random, () => this.#fill());
  }

  async freezeWorker(random: Random, ms: number): Promise<void> {
    const living = this.livingWorkers;
    living[random.integer(0, living.length - 1)]?.freeze(ms);
  }

  async suspendWorker(random: Random, ms: number): Promise<void> {
    const living = this.livingWorkers;
    living[random.integer(0, living.length - 1)]?.suspend(ms);
  }

  /** Says which of them did not end. */
  endProducers(): Promise<string[]> {
    this.#producersWanted = 0;
    return endAll(this.producers.filter(({ isAlive }) => isAlive));
  }

  endWorkers(): Promise<string[]> {
    clearInterval(this.#watch);
    return endAll(this.livingWorkers);
  }

  async kill(): Promise<void> {
    clearInterval(this.#watch);
    await Promise.all([...this.workers, ...this.producers].map((member) => member.kill()));
  }

  #fill(): void {
    while (this.livingWorkers.length < WORKERS) this.workers.push(this.#fork("worker", this.workers.length));
    while (this.producers.filter(({ isAlive }) => isAlive).length < this.#producersWanted)
      this.producers.push(this.#fork("producer", this.producers.length));
  }

  #fork(role: keyof CrewPrograms, number: number): Member {
    return new Member({
      program: this.#programs[role],
      name: `${role}-${number}`,
      folder: this.#folder,
      skewMs: SKEWS_MS[number % SKEWS_MS.length]!,
      config: { ...this.#config, seed: this.#config.seed * 1_000 + number },
    });
  }
}

async function endAll(members: readonly Member[]): Promise<string[]> {
  const ends = await Promise.allSettled(members.map((member) => member.end(END_MS)));
  return ends.flatMap((end) => (end.status === "rejected" ? [(end.reason as Error).message] : []));
}

async function replace(living: readonly Member[], random: Random, fill: () => void): Promise<void> {
  await living[random.integer(0, living.length - 1)]?.kill();
  fill();
}
