/** What the three services share: connect, announce, run, retry after an outage, stop on a signal. */
import { randomUUID } from "node:crypto";
import { connect, type Holdfast, HoldfastError } from "holdfast";
import { type Options, parseOptions } from "./options.ts";
import { addReads, readsOf } from "./state/reads.ts";
import { openState, type Presence, type State } from "./state/state.ts";

export interface Service {
  readonly options: Options;
  readonly hf: Holdfast;
  readonly state: State;
  /** Aborted when the process is to end. */
  readonly signal: AbortSignal;
}

const ANNOUNCE_MS = 1_000;
const RETRY_MS = 250;

/** Runs `body` until it ends or the process is to stop (SIGTERM, Ctrl-C, or the launcher gone). */
export async function runService(role: Presence["role"], body: (service: Service) => Promise<void>): Promise<void> {
  const options = parseOptions();
  const signal = stopSignal();
  await using hf = await connectPatiently(options, signal);
  const state = openState(hf);
  if (options.ownServer) process.once("disconnect", () => shutDownServer(hf));
  announce(state, { pid: process.pid, role, since: Date.now() }, options.name, signal);
  await body({ options, hf, state, signal });
}

/** Runs `step` again and again; a failure of the server's is reported once per kind and waited out. */
export async function keepRunning(service: Service, step: () => Promise<void>): Promise<void> {
  let reported = "";
  while (!service.signal.aborted) {
    try {
      await step();
      reported = "";
    } catch (error) {
      if (service.signal.aborted) return;
      if (!(error instanceof HoldfastError)) throw error;
      if (error.code !== reported) log(service.options, `${error.code}: ${error.message}; trying again`);
      reported = error.code;
      await pause(RETRY_MS, service.signal);
    }
  }
}

/** Resolves early, without an error, when the signal fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** Owner of a lock: the process's name for people, and a part that no other process ever has, not even its successor. */
export function lockOwner({ name }: Options): string {
  return `${name}#${randomUUID()}`;
}

/** The process's name in a lock's owner. */
export function holderOf(owner: string): string {
  return owner.split("#")[0] ?? owner;
}

export function log(options: Options, text: string): void {
  console.log(`${options.name}: ${text}`);
}

/** At the start the server may be just coming up again. */
async function connectPatiently(options: Options, signal: AbortSignal): Promise<Holdfast> {
  if (options.url === undefined) throw new Error("no server named: give --url, HOLDFAST_URL or REDIS_URL");
  for (;;) {
    try {
      return await connect(options.url, { prefix: options.prefix });
    } catch (error) {
      if (!(error instanceof HoldfastError && error.retryable) || signal.aborted) throw error;
      await pause(RETRY_MS, signal);
    }
  }
}

/** An entry that outlives its process by no more than its TTL, so the page shows who is alive and what its caches answer. */
function announce(state: State, self: Omit<Presence, "reads">, name: string, signal: AbortSignal): void {
  const beat = (): void => {
    const reads = addReads(Object.values(state.caches).map((cache) => readsOf(cache.stats())));
    state.presence.set(name, { ...self, reads }).catch(() => undefined);
  };
  beat();
  const timer = setInterval(beat, ANNOUNCE_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** The launcher was killed and cannot do it any more. Nobody is left to report a failure to. */
function shutDownServer(hf: Holdfast): void {
  hf.driver.send(["SHUTDOWN", "NOSAVE"], { op: "flightboard.shutdown", class: "unsafe" }).catch(() => undefined);
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const end = (): void => {
    // Listening for "disconnect" keeps the channel to the launcher open, and with it the process.
    process.channel?.unref();
    stop.abort();
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.once("disconnect", end);
  return stop.signal;
}
