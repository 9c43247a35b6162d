/**
 * One scenario: workers and producers in processes of their own, faults from a plan, and then quiet: everything must come to its end,
 * every worker must work, jobs must run in order, and nothing may be left behind.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "../../../packages/holdfast/test/support/servers.ts";
import { ClockWatch } from "../clock.ts";
import { Crew } from "../crew.ts";
import { leftBehind } from "../left-behind.ts";
import { Plan, type Weights } from "../plan.ts";
import { Random } from "../random.ts";
import type { ServerFaultName } from "../servers/topology.ts";
import type { Report, Scenario, ScenarioOptions } from "../suite.ts";
import { readHistory } from "./history.ts";
import { type QueueConfig, queueKey, type SubjectName } from "./job.ts";
import { deadIds, inOrder, workersThatWork } from "./quiet.ts";
import { openSubject } from "./open.ts";
import { expectedTicks, ticksOutside } from "./tick.ts";
import { judge } from "./verdict.ts";

type OwnFault = "kill" | "kill producer" | "freeze";

/** Shorter than most users', so that a lease ends within a run. */
const LEASE_MS = 2_000;
const CONCURRENCY = 8;
const RUN_MS = 40;
const DRAIN_MS = 60_000;
const MOST_SAID = 10;
const PROGRAMS = { worker: "queue/worker.program.js", producer: "queue/producer.program.js" };

export function queueScenario(name: string, weights: Weights<OwnFault>): Scenario {
  return { name, run: (options) => new QueueRun(name, weights, options).run() };
}

class QueueRun {
  readonly #name: string;
  readonly #options: ScenarioOptions;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "holdfast-faults-"));
  readonly #config: QueueConfig;
  readonly #crew: Crew;
  readonly #plan: Plan<OwnFault>;

  constructor(name: string, weights: Weights<OwnFault>, options: ScenarioOptions) {
    this.#name = name;
    this.#options = options;
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
    const crew = new Crew(this.#folder, this.#config, PROGRAMS);
    this.#crew = crew;
    this.#plan = new Plan<OwnFault>(options, {
      random: new Random(options.seed),
      weights,
      keys: [queueKey(this.#config.prefix)],
      own: {
        kill: (random) => crew.replaceWorker(random),
        "kill producer": (random) => crew.replaceProducer(random),
        freeze: (random) => crew.freezeWorker(random, LEASE_MS + random.integer(200, 1_500)),
      },
    });
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
      await this.#plan.run();
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
      const { broken: found, ...measured } = judge(
        { ...history, additions },
        { losses: this.#plan.losses, deadIds: dead },
      );
      broken.push(...found);
      if (isOurs) await attempt(() => inOrder(hf));
      if (isOurs) await attempt(() => leftBehind(hf));
      const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
      const { kill: kills = 0, restart: restarts = 0 } = this.#plan.counts;
      return {
        scenario: this.#name,
        seconds,
        ...measured,
        ticks: ticks.length,
        kills,
        restarts,
        faults: this.#plan.counts,
        unaskedFailovers: this.#plan.unasked,
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
}
