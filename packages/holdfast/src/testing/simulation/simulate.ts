/**
 * Deterministic simulation, as FoundationDB made it known: the whole system (several handles, the network, the server) in one
 * process under virtual time, every choice and every fault from one seed. A failure prints its seed, and the seed repeats it.
 *
 *     await simulate({ schedules: 1000, clients: 3 }, async ({ clients, random, sleep }) => { ... });
 */
import { createHash, randomInt } from "node:crypto";
import type { ConnectOptions } from "../../connect.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, toMs, wholeBetween } from "../../base/options.ts";
import { type FaultOptions, faultKinds } from "./faults.ts";
import { type Outcome, Schedule, type ScheduleSetup, type Simulation } from "./schedule.ts";

export interface SimulateOptions {
  /** How many schedules, each with the next seed. @default 100 */
  readonly schedules?: number;
  /** The first seed. @default a random one */
  readonly seed?: number;
  /** Processes that connect before the body begins. @default 2 */
  readonly clients?: number;
  /** Servers that are independent of each other, with a handle of each client on each: `clients[0].handles[2]`. @default 1 */
  readonly servers?: number;
  /** The servers are one cluster, each with a part of the slots, and each client has one handle on it. @default false */
  readonly cluster?: boolean;
  readonly faults?: FaultOptions;
  /** So long faults happen, in simulated time; what is under way by then may still arrive late. @default "3s" */
  readonly chaos?: Duration;
  /** A schedule whose body has not ended by then, in simulated time, has failed. @default "10m" */
  readonly limit?: Duration;
  /** For every client. @default short timeouts, so that much happens in little time */
  readonly connect?: ConnectOptions;
}

export interface SimulationReport {
  readonly schedules: number;
  readonly firstSeed: number;
  /** Commands, answers and faults of all schedules. */
  readonly events: number;
  readonly simulatedMs: number;
  /** Of all that happened, in its order: two runs that are the same have the same. */
  readonly digest: string;
}

/** A schedule in which the body threw, or did not end. `cause` is what it threw. */
export class SimulationError extends Error {
  override readonly name: string = "SimulationError";
  readonly seed: number;
  /** The last events, oldest first. */
  readonly trace: readonly string[];

  constructor(seed: number, cause: unknown, trace: readonly string[]) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const replay = `Replay it with simulate({ seed: ${seed}, schedules: 1, ... }).`;
    super(`seed ${seed}: ${reason}\n${replay}\n${trace.join("\n")}`, { cause });
    this.seed = seed;
    this.trace = trace;
  }
}

const QUICK: ConnectOptions = {
  timeout: "1s",
  connectTimeout: "1s",
  pingInterval: "500ms",
  pingTimeout: "1s",
  drainTimeout: "100ms",
};

/**
 * Runs `body` once per schedule. Everything that the body awaits must come from the simulation: the handles, `sleep`, and
 * promises made of them; real timers and real input are not part of it.
 * @throws SimulationError for the first schedule that fails
 */
export async function simulate(
  options: SimulateOptions,
  body: (simulation: Simulation) => Promise<void>,
): Promise<SimulationReport> {
  const schedules = wholeBetween("schedules", options.schedules ?? 100, 1, 2 ** 31);
  const firstSeed = wholeBetween("seed", options.seed ?? randomInt(2 ** 31), 0, 2 ** 32 - 1);
  const setup = setupOf(options);
  const digest = createHash("sha1");
  let [events, simulatedMs] = [0, 0];
  for (let seed = firstSeed; seed < firstSeed + schedules; seed++) {
    const outcome = await runOne(seed, setup, body);
    events += outcome.events;
    simulatedMs += outcome.simulatedMs;
    digest.update(outcome.digest);
  }
  return { schedules, firstSeed, events, simulatedMs, digest: digest.digest("hex") };
}

async function runOne(
  seed: number,
  setup: ScheduleSetup,
  body: (simulation: Simulation) => Promise<void>,
): Promise<Outcome> {
  const schedule = new Schedule(seed, setup);
  try {
    return await schedule.run(body);
  } catch (error) {
    throw new SimulationError(seed, error, schedule.trace.lines());
  }
}

function setupOf(options: SimulateOptions): ScheduleSetup {
  const { url, ...connect } = options.connect ?? {};
  if (url !== undefined) throw new InvalidArgumentError("connect.url", "nothing: the server is simulated", url);
  return {
    clients: wholeBetween("clients", options.clients ?? 2, 1, 100),
    servers: wholeBetween("servers", options.servers ?? 1, 1, 20),
    cluster: cluster(options.cluster ?? false),
    faults: faultKinds(options.faults),
    chaosMs: toMs("chaos", options.chaos ?? "3s", 0),
    limitMs: toMs("limit", options.limit ?? "10m"),
    connect: { ...QUICK, ...connect },
  };
}

function cluster(given: boolean): boolean {
  if (typeof given === "boolean") return given;
  throw new InvalidArgumentError("cluster", "true or false", given);
}
