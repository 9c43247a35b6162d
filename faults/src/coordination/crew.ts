/** The processes of one scenario, all alike. One that dies is replaced. */
import { existsSync, statSync } from "node:fs";
import { until } from "../../../packages/holdfast/test/support/servers.ts";
import { Member } from "../fleet.ts";
import type { Random } from "../random.ts";
import type { CoordinationConfig, Entry, ResourceAsked } from "./entry.ts";
import type { Resource } from "./resource.ts";

const MEMBERS = 4;
/** Each other member's clock is right. */
const SKEWS_MS = [60_000, -60_000, 0];
/** On a machine that has much else to do. */
const BEGIN_MS = 60_000;
const END_MS = 60_000;

export class Crew {
  /** All that there have been. */
  readonly members: Member[] = [];
  readonly #folder: string;
  readonly #config: Omit<CoordinationConfig, "name">;
  readonly #resource: Resource;

  constructor(folder: string, config: Omit<CoordinationConfig, "name">, resource: Resource) {
    this.#folder = folder;
    this.#config = config;
    this.#resource = resource;
  }

  get living(): Member[] {
    return this.members.filter(({ isAlive }) => isAlive);
  }

  /** Resolves when each of them has written something. */
  async start(): Promise<void> {
    this.#fill();
    await until("all processes have begun", () => this.members.every(hasBegun), BEGIN_MS);
  }

  async replace(random: Random): Promise<void> {
    await this.#one(random)?.kill();
    this.#fill();
  }

  async freeze(random: Random, ms: number): Promise<void> {
    this.#one(random)?.freeze(ms);
  }

  async suspend(random: Random, ms: number): Promise<void> {
    this.#one(random)?.suspend(ms);
  }

  /** Says which of them did not end. */
  async end(): Promise<string[]> {
    const ends = await Promise.allSettled(this.living.map((member) => member.end(END_MS)));
    return ends.flatMap((end) => (end.status === "rejected" ? [(end.reason as Error).message] : []));
  }

  async kill(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }

  ledgers(): Map<string, Entry[]> {
    return new Map(this.members.map((member) => [member.name, member.read<Entry>()]));
  }

  #one(random: Random): Member | undefined {
    const { living } = this;
    return living[random.integer(0, living.length - 1)];
  }

  #fill(): void {
    while (this.living.length < MEMBERS) {
      const number = this.members.length;
      const name = `m${number}`;
      const member = new Member({
        program: "coordination/member.program.js",
        name,
        folder: this.#folder,
        skewMs: SKEWS_MS[number % SKEWS_MS.length]!,
        config: { ...this.#config, name, seed: this.#config.seed * 1_000 + number },
        answer: (asked: ResourceAsked) => this.#resource.answer(asked),
      });
      this.members.push(member);
    }
  }
}

function hasBegun({ ledger, isAlive }: Member): boolean {
  return !isAlive || (existsSync(ledger) && statSync(ledger).size > 0);
}
