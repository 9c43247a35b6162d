/** The servers that all test files of a run share: started at the first need, stopped at the end. Free of vitest. */
import { startCluster } from "./cluster.ts";
import { startEmbedded } from "./embedded.ts";
import { startSentinel } from "./sentinel.ts";
import { startStandalone } from "./standalone.ts";
import { startTls } from "./tls.ts";

export type BackendName = "standalone" | "cluster" | "sentinel" | "tls" | "embedded";

/** Where a backend is and what a client must say to get in. Plain data: it travels to the test workers as JSON. */
export interface Backend {
  readonly name: BackendName;
  readonly url: string;
  readonly options: { readonly timeout?: "60s"; readonly tls?: { readonly ca: string } };
}

interface Fixture {
  readonly url: string;
  /** PEM of the authority that a client must trust; only where the server speaks TLS. */
  readonly ca?: string;
  stop(): Promise<void>;
}

const FIXTURES: Readonly<Record<BackendName, () => Promise<Fixture>>> = {
  standalone: startStandalone,
  cluster: startCluster,
  sentinel: startSentinel,
  tls: startTls,
  embedded: startEmbedded,
};

export const BACKEND_NAMES: readonly BackendName[] = ["standalone", "cluster", "sentinel", "tls", "embedded"];

/** The names in a list such as `standalone,cluster`; all of them where it is empty or `all`. */
export function chooseBackends(list: string): BackendName[] {
  const wanted = list.split(/[\s,]+/).filter((name) => name !== "" && name !== "all");
  const unknown = wanted.find((name) => !BACKEND_NAMES.some((known) => known === name));
  if (unknown !== undefined)
    throw new Error(`HOLDFAST_BACKENDS: "${unknown}" is none of ${BACKEND_NAMES.join(", ")}, all`);
  return BACKEND_NAMES.filter((name) => wanted.length === 0 || wanted.includes(name));
}

/** No test waits for it: only so long that none depends on how busy the machine is. */
const TIMEOUT = "60s";

/** A file within a primitive's folder, by the folder and what follows: `cache`, `cache.test.ts`. */
const OF_PRIMITIVE = /\/packages\/holdfast\/src\/(?!(?:base|core|driver)\/)([\w-]+)\/(.+)$/;

/**
 * What a test file runs on where nobody says otherwise. A primitive sends a Sentinel group and a server behind TLS what
 * it sends any server, so there only its own file runs (`cache/cache.test.ts`), with all that stands below primitives.
 */
export function usualBackends(file: string): readonly BackendName[] {
  const [, noun, rest] = OF_PRIMITIVE.exec(file.replaceAll("\\", "/")) ?? [];
  if (noun === undefined || rest === `${noun}.test.ts`) return BACKEND_NAMES;
  return BACKEND_NAMES.filter((name) => name !== "sentinel" && name !== "tls");
}

export class SharedServers {
  readonly #names: readonly BackendName[];
  readonly #fixtures: Fixture[] = [];
  #starts: Promise<Backend>[] | undefined;

  constructor(names: readonly BackendName[]) {
    this.#names = names;
  }

  /** Starts them at the first call. */
  backends(): Promise<Backend[]> {
    this.#starts ??= this.#names.map((name) => this.#start(name));
    return Promise.all(this.#starts);
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#starts ?? []);
    await Promise.all(this.#fixtures.map((fixture) => fixture.stop()));
  }

  async #start(name: BackendName): Promise<Backend> {
    const fixture = await FIXTURES[name]();
    this.#fixtures.push(fixture);
    const tls = fixture.ca === undefined ? {} : { tls: { ca: fixture.ca } };
    return { name, url: fixture.url, options: { timeout: TIMEOUT, ...tls } };
  }
}
