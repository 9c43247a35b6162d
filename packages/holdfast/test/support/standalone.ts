/** One server alone. */
import { freePort } from "./ports.ts";
import { Sandbox } from "./sandbox.ts";
import { ServerProcess, type ServerConfig } from "./server-process.ts";

export interface StandaloneOptions {
  /** Every write reaches the disk before its answer, so that kill() and restart() lose nothing. @default false */
  readonly persistence?: boolean;
  /** Further directives of the server's configuration, such as `{ maxmemory: "10mb" }`. */
  readonly config?: ServerConfig;
}

export interface Standalone extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  kill(): Promise<void>;
  pause(): Promise<void>;
  resume(): void;
  restart(): Promise<void>;
  command: ServerProcess["command"];
  connect: ServerProcess["connect"];
  /** Ends the process and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

export async function startStandalone(options: StandaloneOptions = {}): Promise<Standalone> {
  const persistence: ServerConfig = options.persistence === true ? { appendonly: "yes", appendfsync: "always" } : {};
  const sandbox = new Sandbox("standalone");
  try {
    const config = { ...persistence, ...options.config };
    return standalone(await ServerProcess.start({ sandbox, port: await freePort(), config }), sandbox);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** A fixture of one process: the process itself, and the end of the sandbox that it lives in. */
export function standalone(server: ServerProcess, sandbox: Sandbox): Standalone {
  const stop = async (): Promise<void> => {
    await server.kill();
    await sandbox.close();
  };
  return {
    server,
    url: server.url,
    port: server.port,
    get pid() {
      return server.pid;
    },
    kill: () => server.kill(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    restart: () => server.restart(),
    command: (...args) => server.command(...args),
    connect: () => server.connect(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
