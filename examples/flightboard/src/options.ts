/** The command line of every process: the launcher reads it and hands the same words down to its children. */
import { parseArgs } from "node:util";
import { JSON_FLIGHTS, MAX_FLIGHTS } from "./data/flights.ts";

/** `embedded`: in the launcher's process. `redis`: a redis-server or valkey-server process of the launcher's. */
export type ServerKind = "embedded" | "redis";

export interface Options {
  /** How many flights are replayed. @default 20000 */
  readonly flights: number;
  /** Simulated minutes per second at the start; `Infinity` (`max`) replays as fast as the worker follows. @default 60 */
  readonly speed: number;
  /** Replay, check every number, print a summary, exit. @default false */
  readonly once: boolean;
  /** With `once`: kill and freeze processes, and strike the server, at random moments. @default false */
  readonly chaos: boolean;
  /** Names the run of chaos, so that it can be repeated. @default a random number, printed */
  readonly seed: number;
  /** Port of the page; 0 takes a free one. @default 4100, or a free one where that is taken */
  readonly port: number;
  /** Redis or Valkey URL. @default HOLDFAST_URL, then REDIS_URL; not where `server` is given */
  readonly url: string | undefined;
  /** What the launcher starts where there is no URL. @default "embedded" */
  readonly server: ServerKind;
  /** What every key of the run begins with. @default random, made by the launcher */
  readonly prefix: string;
  /** Name of this process, such as `ingest-1`. */
  readonly name: string;
  /** The server is a process of the launcher's: services shut it down when the launcher is gone. @default false */
  readonly ownServer: boolean;
}

export const DEFAULT_PORT = 4100;

export function parseOptions(argv: readonly string[] = process.argv.slice(2)): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      flights: { type: "string", default: String(JSON_FLIGHTS) },
      speed: { type: "string" },
      once: { type: "boolean", default: false },
      chaos: { type: "boolean", default: false },
      seed: { type: "string" },
      port: { type: "string", default: String(DEFAULT_PORT) },
      url: { type: "string" },
      server: { type: "string" },
      prefix: { type: "string", default: "flightboard" },
      name: { type: "string", default: `process-${process.pid}` },
      "own-server": { type: "boolean", default: false },
    },
  });
  if (values.chaos && !values.once)
    throw new Error("--chaos needs --once: it is followed by the check of every number");
  if (values.url !== undefined && values.server !== undefined)
    throw new Error("--url names a server and --server starts one: give one of them");
  return {
    flights: wholeNumber("flights", values.flights, 1, MAX_FLIGHTS),
    speed: parseSpeed(values.speed ?? (values.once ? "max" : "60")),
    once: values.once,
    chaos: values.chaos,
    seed: wholeNumber("seed", values.seed ?? String(Math.floor(Math.random() * 1e9)), 0, Number.MAX_SAFE_INTEGER),
    port: wholeNumber("port", values.port, 0, 65_535),
    url: values.server === undefined ? (values.url ?? urlOfEnvironment()) : undefined,
    server: parseServer(values.server ?? "embedded"),
    prefix: values.prefix,
    name: values.name,
    ownServer: values["own-server"],
  };
}

/** The words for a child process, the other way round. */
export function toArgs(options: Options): string[] {
  const args = [`--flights=${options.flights}`, `--speed=${options.speed === Infinity ? "max" : options.speed}`];
  args.push(`--port=${options.port}`, `--prefix=${options.prefix}`, `--name=${options.name}`);
  if (options.url !== undefined) args.push(`--url=${options.url}`);
  if (options.ownServer) args.push("--own-server");
  return args;
}

function urlOfEnvironment(): string | undefined {
  // One that is set to nothing says nothing.
  return process.env["HOLDFAST_URL"] || process.env["REDIS_URL"] || undefined;
}

function parseServer(text: string): ServerKind {
  if (text === "embedded" || text === "redis") return text;
  throw new Error(`--server: expected "embedded" or "redis", got "${text}"`);
}

function parseSpeed(text: string): number {
  if (text === "max") return Infinity;
  const speed = Number(text);
  if (speed > 0 && speed <= 100_000) return speed;
  throw new Error(`--speed: expected simulated minutes per second (1 to 100000) or "max", got "${text}"`);
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name}: expected a whole number from ${min} to ${max}, got "${text}"`);
}
