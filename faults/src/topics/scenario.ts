/**
 * One scenario: consumers with a subscription of each kind and publishers in processes of their own, faults from a plan, and then quiet: every
 * message must have been handled in each subscription, and in the order of its key.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Topic } from "holdfast";
import { until } from "../../../packages/holdfast/test/support/servers.ts";
import { Crew } from "../crew.ts";
import { ticks } from "../ledger.ts";
import { Plan, type Weights } from "../plan.ts";
import { Random } from "../random.ts";
import type { Report, Scenario, ScenarioOptions } from "../suite.ts";
import { readHistory } from "./history.ts";
import { KINDS, openTopic, type Payload, topicKey, type TopicsConfig } from "./message.ts";
import { judge } from "./verdict.ts";

/** Shorter than most users', so that a lease ends within a run. */
const LEASE_MS = 2_000;
const DRAIN_MS = 60_000;
const PROGRAMS = { worker: "topics/consumer.program.js", producer: "topics/publisher.program.js" };

type OwnFault = "kill" | "kill producer" | "freeze" | "flush";

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
    concurrency: 8,
    runMs: 40,
  };
  const crew = new Crew(folder, config, PROGRAMS);
  const { hf, topic } = openTopic(config);
  const flushes: number[] = [];
  const flush = async (): Promise<void> => {
    await hf.driver.send(["FLUSHALL"], { op: "flush", class: "unsafe" });
    flushes.push(ticks());
  };
  const plan = new Plan<OwnFault>(options, {
    random: new Random(options.seed),
    weights,
    keys: [topicKey(config.prefix)],
    own: {
      kill: (random) => crew.replaceWorker(random),
      "kill producer": (random) => crew.replaceProducer(random),
      freeze: (random) => crew.freezeWorker(random, LEASE_MS + random.integer(200, 1_500)),
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
    await attempt(() => drained(topic));
    options.log("drained");
    await attempt(() => crew.endWorkers());
    const history = readHistory(crew.producers, crew.workers);
    const { broken: found, ...measured } = judge(history, { kinds: KINDS, losses: plan.losses, flushes });
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

/** What is left in each subscription, in words. */
async function drained(topic: Topic<Payload>): Promise<string[]> {
  const left = async (): Promise<string[]> => {
    const lags = await Promise.all(KINDS.map(async (kind) => ({ kind, lag: await topic.subscriptions.lag(kind) })));
    return lags.flatMap(({ kind, lag }) => {
      // After the server was emptied, until a member makes it again.
      if (lag === undefined) return [`${kind}: the server does not know the subscription`];
      return lag.partitions
        .filter(({ messages }) => messages > 0)
        .map(
          ({ partition, messages, committed, head }) =>
            `${kind}: ${messages} messages of partition ${partition} are left, committed ${committed} of ${head}`,
        );
    });
  };
  const isDrained = until("drained", async () => (await left()).length === 0, DRAIN_MS);
  return isDrained.then(() => [], left);
}
