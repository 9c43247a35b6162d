/**
 * One scenario: workers and producers in processes of their own, faults from a plan, and then quiet: everything must come to its end,
 * every worker must work, jobs must run in order, and nothing may be left behind.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../../packages/holdfast/test/support/servers.ts";
import { ClockWatch } from "../clock.ts";
import { ticks } from "../ledger.ts";
import { Random } from "../random.ts";
import type { ServerFaultName } from "../servers/topology.ts";
import type { Report, Scenario, ScenarioOptions } from "../suite.ts";
import { Crew } from "./crew.ts";
import { readHistory } from "./history.ts";
import { type QueueConfig, queueKey, type SubjectName } from "./job.ts";
import { deadIds, inOrder, leftBehind, workersThatWork } from "./quiet.ts";
import { openSubject } from "./open.ts";
import { expectedTicks, ticksOutside } from "./tick.ts";
import { judge } from "./verdict.ts";

type FaultName = "kill" | "kill producer" | "freeze" | ServerFaultName;

/** Shorter than most users', so that a lease ends within a run. */
const LEASE_MS = 2_000;
const CONCURRENCY = 8;
const RUN_MS = 40;
/** What was answered so long before a failover may have been on the old primary alone. */
const UNREPLICATED_MS = 2_000;
const DRAIN_MS = 60_000;
const LOOK_MS = 200;
const MOST_SAID = 10;

export function queueScenario(name: string, weights: Readonly<Partial<Record<FaultName, number>>>): Scenario {
  return { name, run: (options) => new QueueRun(name, weights, options).run() };
}

class QueueRun {
  readonly #name: string;
  readonly #weights: Readonly<Partial<Record<FaultName, number>>>;
  readonly #options: ScenarioOptions;
  readonly #random: Random;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "holdfast-faults-"));
  readonly #config: QueueConfig;
  readonly #crew: Crew;
  readonly #counts: Partial<Record<FaultName, number>> = {};
  readonly #losses: [number, number][] = [];
  /** The port of the server that the queue was last seen on. */
  #owner: number | undefined;
  #isMoving = false;
  #unasked = 0;

  constructor(name: string, weights: Readonly<Partial<Record<FaultName, number>>>, options: ScenarioOptions) {
    this.#name = name;
    this.#weights = weights;
    this.#options = options;
    this.#random = new Random(options.seed);
    const { faults, replicas, url } = options.topology;
    const loses = Object.keys(weights).some((fault) => faults[fault as ServerFaultName]?.loses === true);
    this.#config = {
      url,
      prefix: `faults-${randomUUID()}`,
      subject: (options.subject ?? "queue") as SubjectName,
      seed: options.seed,
      leaseMs: LEASE_MS,
      concurrency: CONCURRENCY,
      runMs: RUN_MS,
      replicas: loses ? replicas : 0,
    };
    this.#crew = new Crew(this.#folder, this.#config);
  }

  async run(): Promise<Report> {
    const startedAt = performance.now();
    const clock = new ClockWatch();
    const { hf, subject } = openSubject(this.#config);
    const broken: string[] = [];
    try {
      this.#crew.start();
      await this.#crew.ready();
      await subject.schedule?.begin();
      const tickingFrom = Date.now();
      const watch = setInterval(() => void this.#look(), LOOK_MS);
      await this.#misbehave().finally(() => clearInterval(watch));
      await this.#options.topology.settle();
      broken.push(...(await this.#crew.endProducers()));
      const tickingTo = Date.now();
      await subject.schedule?.end();
      this.#options.log("quiet");
      const attempt = async (check: () => Promise<readonly string[]>): Promise<void> => {
        await check().then(
          (found) => broken.push(...found),
          (error: Error) => broken.push(error.message),
        );
      };
      await attempt(() => until("all jobs are over", async () => (await subject.left()) === 0 && [], DRAIN_MS));
      const isOurs = this.#config.subject === "queue";
      this.#options.log("drained");
      if (isOurs) await attempt(() => workersThatWork(hf, this.#crew, this.#options.log));
      await attempt(() => this.#crew.endWorkers());
      const history = readHistory(this.#crew.producers, this.#crew.workers);
      const dead = isOurs ? await deadIds(hf) : new Set<string>();
      const ticks = expectedTicks([...history.runsOf.values()].flat());
      if (subject.schedule !== undefined) broken.push(...ticksOutside(ticks, tickingFrom, tickingTo));
      const additions = new Map([...history.additions, ...ticks.map((tick) => [tick.payload.call, tick] as const)]);
      const { broken: found, ...measured } = judge({ ...history, additions }, { losses: this.#losses, deadIds: dead });
      broken.push(...found);
      if (isOurs) await attempt(() => inOrder(hf));
      if (isOurs) await attempt(() => leftBehind(hf));
      const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
      const { kill: kills = 0, restart: restarts = 0 } = this.#counts;
      return {
        scenario: this.#name,
        seconds,
        ...measured,
        ticks: ticks.length,
        kills,
        restarts,
        faults: this.#counts,
        unaskedFailovers: this.#unasked,
        undecided: [...history.additions.values()].filter(({ status }) => status !== "ok" && status !== "duplicate")
          .length,
        clockSetBackMs: Math.round(clock.setBackMs),
        broken:
          broken.length > MOST_SAID ? [...broken.slice(0, MOST_SAID), `and ${broken.length - MOST_SAID} more`] : broken,
        ok: broken.length === 0,
      };
    } finally {
      clock.stop();
      await this.#crew.kill();
      await hf.close();
      if (process.env["FAULTS_KEEP"] === undefined) rmSync(this.#folder, { recursive: true, force: true });
      else this.#options.log(`ledgers: ${this.#folder}`);
    }
  }

  /** Each fault, its target and the pause before it are drawn before the next one, so that a seed has one sequence. */
  async #misbehave(): Promise<void> {
    const until = performance.now() + this.#options.seconds * 1_000;
    for (;;) {
      const pauseMs = this.#random.integer(100, 1_500);
      const fault = this.#random.weighted(this.#weights);
      const own = new Random(this.#random.integer(0, 2 ** 31));
      const leftMs = until - performance.now();
      await sleep(Math.max(Math.min(pauseMs, leftMs), 0));
      if (leftMs <= pauseMs) return;
      this.#options.log(fault);
      this.#counts[fault] = (this.#counts[fault] ?? 0) + 1;
      await this.#cause(fault, own);
    }
  }

  /** On a busy machine servers take each other for dead without our doing. */
  async #look(): Promise<void> {
    const seen = await this.#options.topology.ownerSeen(queueKey(this.#config.prefix)).catch(() => undefined);
    if (seen === undefined || seen === this.#owner) return;
    const isUnasked = this.#owner !== undefined && !this.#isMoving;
    this.#owner = seen;
    if (!isUnasked) return;
    this.#options.log("a failover that nobody asked for");
    this.#unasked += 1;
    this.#losses.push([ticks() - UNREPLICATED_MS * 1_000, ticks() + UNREPLICATED_MS * 1_000]);
  }

  async #cause(fault: FaultName, random: Random): Promise<void> {
    if (fault === "kill") return this.#crew.replaceWorker(random);
    if (fault === "kill producer") return this.#crew.replaceProducer(random);
    if (fault === "freeze") return this.#crew.freezeWorker(random, LEASE_MS + random.integer(200, 1_500));
    const { topology } = this.#options;
    const known = topology.faults[fault]!;
    const from = ticks() - UNREPLICATED_MS * 1_000;
    this.#isMoving = fault === "failover" || fault === "crash" || fault === "migrate";
    await known.run({ topology, key: queueKey(this.#config.prefix), random });
    await this.#look();
    this.#isMoving = false;
    if (known.loses) this.#losses.push([from, ticks()]);
  }
}
