/** The services of the demo, each a process, and the server where it is the run's own. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Options, toArgs } from "../options.ts";
import type { OwnServer } from "./own-server.ts";
import { Supervised } from "./supervised.ts";

const STDERR = 2;
/** Longer than a dead process holds its lock, so that it is the other one that takes over. */
const RESTART_MS = 2_500;
const API_RESTART_MS = 200;
/** Names, and the kinds of process that they are. */
const SERVICES = [
  ["ingest-1", "ingest"],
  ["ingest-2", "ingest"],
  ["worker-1", "worker"],
  ["worker-2", "worker"],
  ["api", "api"],
] as const;

export class Fleet {
  /** Undefined on somebody else's server. */
  readonly server: OwnServer | undefined;
  readonly #options: Options;
  readonly #services: ReadonlyMap<string, Supervised>;

  constructor(options: Options, server: OwnServer | undefined, report: (text: string) => void) {
    this.#options = options;
    this.server = server;
    this.#services = new Map(SERVICES.map(([name, kind]) => [name, this.#service(name, kind, report)]));
  }

  find(name: string): Supervised | undefined {
    return this.#services.get(name);
  }

  /** Starts all processes of these kinds. */
  start(...kinds: readonly (typeof SERVICES)[number][1][]): void {
    for (const [name, kind] of SERVICES) if (kinds.includes(kind)) this.#services.get(name)?.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.stop()));
  }

  #service(name: string, kind: string, report: (text: string) => void): Supervised {
    const file = fileURLToPath(new URL(`../${kind}.js`, import.meta.url));
    const start = (): ReturnType<typeof fork> => {
      // The launcher's standard output ends with one line of JSON, so the services talk to standard error.
      const child = fork(file, toArgs({ ...this.#options, name, ownServer: this.server?.kind === "redis" }), {
        stdio: ["ignore", STDERR, STDERR, "ipc"],
        detached: true,
      });
      child.on("message", (message) => this.#obey(message));
      return child;
    };
    return new Supervised(name, start, kind === "api" ? API_RESTART_MS : RESTART_MS, report);
  }

  /** The page's "kill" button, by way of the API. */
  #obey(message: unknown): void {
    const { type, process } = message as { type?: unknown; process?: unknown };
    if (type === "kill") this.find(String(process))?.kill();
  }
}
