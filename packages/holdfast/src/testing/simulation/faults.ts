/**
 * Which faults a schedule meets, and how often. Each schedule draws its own mixture and leaves some kinds out altogether: what
 * always happens hides what happens seldom (swarm testing; Groce et al., ISSTA 2012).
 */
import type { SeededRandom } from "holdfast-embedded";
import { InvalidArgumentError } from "../../base/errors.ts";

export interface FaultOptions {
  /** A command is executed, its answer is lost, and the connection is reset. @default true */
  readonly lostAnswers?: boolean;
  /** A command is lost before it is executed, and the connection is reset. @default true */
  readonly lostRequests?: boolean;
  /** Something is on its way for longer than its sender waits; a command is executed all the same. @default true */
  readonly slowDeliveries?: boolean;
  /** Nothing passes between one client and the server for a while; connections stand. @default true */
  readonly partitions?: boolean;
  /** A client's process stands still for a while. @default true */
  readonly clientPauses?: boolean;
  /** The server stands still for a while. @default true */
  readonly serverPauses?: boolean;
  /** The server's process dies and comes back. @default true */
  readonly restarts?: boolean;
  /** A restart loses all data, or what was written lately, as a failover does. @default false */
  readonly dataLoss?: boolean;
  /** In a cluster, slots that are in use move to other servers. @default true */
  readonly migrations?: boolean;
  /** The clients' user may not use CLIENT KILL, so that what was given up is executed late. @default false */
  readonly lateCopies?: boolean;
  /** Clocks of clients and server run at different speeds, apart by half a percent at most. @default true */
  readonly clockSkew?: boolean;
}

/** One schedule's own. */
export interface FaultMix {
  /** Mean time of a delivery in milliseconds. */
  readonly latencyMs: number;
  /** Probabilities per delivery. */
  readonly lostAnswer: number;
  readonly lostRequest: number;
  readonly slow: number;
  /** Events per simulated second. */
  readonly partitions: number;
  readonly clientPauses: number;
  readonly serverPauses: number;
  readonly restarts: number;
  readonly migrations: number;
  readonly dataLoss: boolean;
  /** Largest difference of a clock's speed from 1. */
  readonly skew: number;
}

export const CALM: Omit<FaultMix, "latencyMs" | "skew"> = {
  lostAnswer: 0,
  lostRequest: 0,
  slow: 0,
  partitions: 0,
  clientPauses: 0,
  serverPauses: 0,
  restarts: 0,
  migrations: 0,
  dataLoss: false,
};

const DEFAULTS: Required<FaultOptions> = {
  lostAnswers: true,
  lostRequests: true,
  slowDeliveries: true,
  partitions: true,
  clientPauses: true,
  serverPauses: true,
  restarts: true,
  dataLoss: false,
  migrations: true,
  lateCopies: false,
  clockSkew: true,
};

export function faultKinds(options: FaultOptions = {}): Required<FaultOptions> {
  for (const [name, value] of Object.entries(options)) {
    if (!(name in DEFAULTS))
      throw new InvalidArgumentError("faults", `one of ${Object.keys(DEFAULTS).join(", ")}`, name);
    if (typeof value !== "boolean") throw new InvalidArgumentError(`faults.${name}`, "true or false", value);
  }
  return { ...DEFAULTS, ...options };
}

export function drawMix(random: SeededRandom, kinds: Required<FaultOptions>, cluster: boolean): FaultMix {
  /** Each kind that is allowed is in half of the schedules, and there anything from rare to frequent. */
  const draw = (allowed: boolean, most: number): number =>
    allowed && random.chance(0.5) ? most * random.fraction() ** 2 : 0;
  return {
    latencyMs: 0.1 + 5 * random.fraction() ** 3,
    lostAnswer: draw(kinds.lostAnswers, 0.1),
    lostRequest: draw(kinds.lostRequests, 0.1),
    slow: draw(kinds.slowDeliveries, 0.05),
    partitions: draw(kinds.partitions, 2),
    clientPauses: draw(kinds.clientPauses, 2),
    serverPauses: draw(kinds.serverPauses, 1),
    restarts: draw(kinds.restarts, 1),
    // No chance is spent on it elsewhere, so that seeds found before mean what they meant.
    migrations: draw(cluster && kinds.migrations, 10),
    dataLoss: kinds.dataLoss && random.chance(0.5),
    skew: draw(kinds.clockSkew, 0.005),
  };
}
