/**
 * One scenario: processes that hold, wait and lead, faults from a plan, and then quiet: all that was held must be free again, and the history
 * of each object must be one that its model allows.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect } from "holdfast";
import { ClockWatch } from "../clock.ts";
import { leftBehind } from "../left-behind.ts";
import { ticks } from "../ledger.ts";
import { Plan, type Span, type Weights } from "../plan.ts";
import { Random } from "../random.ts";
import type { Report, Scenario, ScenarioOptions } from "../suite.ts";
import { Crew } from "./crew.ts";
import { type CoordinationConfig, SUBJECTS, type SubjectName } from "./entry.ts";
import { readHistory } from "./history.ts";
import { freeAgain } from "./quiet.ts";
import { Resource } from "./resource.ts";
import { judge } from "./verdict.ts";

type OwnFault = "kill" | "freeze" | "stop" | "flush";

/** Shorter than most users', so that a lease ends while its holder stands still. */
const TTL_MS = 1_000;
const MOST_SAID = 10;
const OBJECTS = ["lock:{a}", "lock:{x}", "semaphore:{s}", "rwlock:{r}", "election:{e}", "barrier:{step}"];

export function coordinationScenario(name: string, weights: Weights<OwnFault>): Scenario {
  return { name, run: (options) => run(name, weights, options) };
}

async function run(name: string, weights: Weights<OwnFault>, options: ScenarioOptions): Promise<Report> {
  const { topology, seed, log } = options;
  const subject = (options.subject ?? "coordination") as SubjectName;
  if (!SUBJECTS.includes(subject)) throw new Error(`--subject: "${subject}" is none of ${SUBJECTS.join(", ")}`);
  const startedAt = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-faults-"));
  const config: Omit<CoordinationConfig, "name"> = {
    url: topology.url,
    prefix: `faults-${randomUUID()}`,
    subject,
    seed,
    ttlMs: TTL_MS,
  };
  const keys = OBJECTS.map((object) => `${config.prefix}:${object}`);
  const resource = new Resource();
  const crew = new Crew(folder, config, resource);
  const flushes: Span[] = [];
  const longer = (random: Random): number => TTL_MS + random.integer(200, 1_500);
  const plan = new Plan<OwnFault>(options, {
    random: new Random(seed),
    weights,
    keys,
    own: {
      kill: (random) => crew.replace(random),
      freeze: (random) => crew.freeze(random, longer(random)),
      stop: (random) => crew.suspend(random, longer(random)),
      async flush(random) {
        const server = await topology.owner(keys[random.integer(0, keys.length - 1)]!);
        const from = ticks();
        await server.command("FLUSHALL");
        flushes.push([from, ticks()]);
      },
    },
  });
  const clock = new ClockWatch();
  try {
    await crew.start();
    await plan.run();
    await topology.settle();
    log("quiet");
    const broken = await crew.end();
    const history = readHistory(crew.ledgers(), [...flushes, ...plan.losses], TTL_MS);
    const { broken: found, ...measured } = judge(history, { ttlMs: TTL_MS, flushes, losses: plan.losses });
    broken.push(...found);
    if (resource.lost > 0) broken.push(`${resource.lost} writes have undone another's`);
    if (subject === "coordination") {
      await using hf = await connect(topology.url, { prefix: config.prefix, timeout: "4s" });
      broken.push(...(await freeAgain(hf, TTL_MS)), ...(await leftBehind(hf)));
    }
    return {
      scenario: name,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      ...measured,
      writes: resource.writes,
      refusedWrites: resource.refused,
      undoneWrites: resource.lost,
      faults: plan.counts,
      unaskedFailovers: plan.unasked,
      clockSetBackMs: Math.round(clock.setBackMs),
      broken:
        broken.length > MOST_SAID ? [...broken.slice(0, MOST_SAID), `and ${broken.length - MOST_SAID} more`] : broken,
      ok: broken.length === 0,
    };
  } finally {
    clock.stop();
    await crew.kill();
    if (process.env["FAULTS_KEEP"] === undefined) rmSync(folder, { recursive: true, force: true });
    else log(`ledgers: ${folder}`);
  }
}
