/**
 * One scenario: consumers with a subscription of each kind and publishers in processes of their own, faults from a plan, and then quiet: every
 * message must have been handled in each subscription, and in the order of its key.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Crew } from "../crew.ts";
import { ticks } from "../ledger.ts";
import { Plan, type Weights } from "../plan.ts";
import { Random } from "../random.ts";
import type { Report, Scenario, ScenarioOptions } from "../suite.ts";
import { readHistory } from "./history.ts";
import { deadLetters, leftIn } from "./quiet.ts";
import { openTopic, partitionKey, PARTITIONS, type TopicsConfig } from "./message.ts";
import { judge } from "./verdict.ts";

/** Shorter than most users', so that a lease ends within a run. */
const LEASE_MS = 2_000;
const PROGRAMS = { worker: "topics/consumer.program.js", producer: "topics/publisher.program.js" };

type OwnFault = "kill" | "kill producer" | "freeze" | "stop" | "flush";

export function topicsScenario(name: string, weights: Weights<OwnFault>): Scenario {
  return { name, run: (options) => run(name, weights, options) };
}

async function run(name: string, weights: Weights<OwnFault>, options: ScenarioOptions): Promise<Report> {
  const startedAt = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-faults-"));
  const config: TopicsConfig = {
    url: options.topology.url,
    prefix: `faults-${randomUUID()}`,
    seed: options.seed,
    leaseMs: LEASE_MS,
    runMs: 40,
    replicas: options.topology.replicas,
  };
  const keys = Array.from({ length: PARTITIONS }, (_, partition) => partitionKey(config.prefix, partition));
  const crew = new Crew(folder, config, PROGRAMS);
  const { hf, topic } = openTopic(config);
  const flushes: number[] = [];
  /** All of it: of a cluster each node that has a partition. */
  const flush = async (): Promise<void> => {
    const servers = new Set(await Promise.all(keys.map((key) => options.topology.owner(key))));
    await Promise.all([...servers].map((server) => server.command("FLUSHALL")));
    flushes.push(ticks());
  };
  const longer = (random: Random): number => LEASE_MS + random.integer(200, 1_500);
  const plan = new Plan<OwnFault>(options, {
    random: new Random(options.seed),
    weights,
    keys,
    own: {
      kill: (random) => crew.replaceWorker(random),
      "kill producer": (random) => crew.replaceProducer(random),
      freeze: (random) => crew.freezeWorker(random, longer(random)),
      stop: (random) => crew.suspendWorker(random, longer(random)),
      flush,
    },
  });
  const broken: string[] = [];
  const attempt = async (check: () => Promise<readonly string[]>): Promise<void> => {
    await check().then(
      (found) => broken.push(...found),
      (error: Error) => broken.push(error.message),
    );
  };
  try {
    crew.start();
    await crew.ready();
    await plan.run();
    await options.topology.settle();
    broken.push(...(await crew.endProducers()));
    options.log("quiet");
    await attempt(() => leftIn(topic));
    options.log("drained");
    await attempt(() => crew.endWorkers());
    const history = readHistory(crew.producers, crew.workers, await deadLetters(topic));
    const { counts: faults, losses } = plan;
    const { broken: found, ...measured } = judge(history, { losses, flushes, faults, unasked: plan.unasked });
    broken.push(...found);
    return {
      scenario: name,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      ...measured,
      faults: plan.counts,
      unaskedFailovers: plan.unasked,
      broken,
      ok: broken.length === 0,
    };
  } finally {
    await crew.kill();
    await hf.close();
    if (process.env["FAULTS_KEEP"] === undefined) rmSync(folder, { recursive: true, force: true });
    else options.log(`ledgers: ${folder}`);
  }
}
