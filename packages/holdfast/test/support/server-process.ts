/** One server process on a fixed port, which a test can kill, pause and restart. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findServer, type ServerBinary } from "../../../../scripts/ensure-server.mjs";
import { RespClient, respCommand, type RespOptions, type RespValue } from "./resp.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

/** Lines of a configuration file; a directive that is given several times has a list. */
export type ServerConfig = Readonly<Record<string, string | readonly string[]>>;

export interface ServerSpec {
  readonly sandbox: Sandbox;
  readonly port: number;
  readonly config: ServerConfig;
  /** @default "server" */
  readonly role?: "server" | "sentinel";
  /** How the fixture itself connects. @default { port } */
  readonly access?: RespOptions;
}

/** DEBUG is allowed (DEBUG SLEEP, DEBUG SET-ACTIVE-EXPIRE ...) and replication reacts in a second. */
const SERVER_DEFAULTS: ServerConfig = {
  save: '""',
  appendonly: "no",
  "enable-debug-command": "local",
  "shutdown-timeout": "0",
  "repl-diskless-sync": "yes",
  "repl-diskless-sync-delay": "0",
  "repl-ping-replica-period": "1",
};

export class ServerProcess {
  readonly port: number;
  readonly access: RespOptions;
  readonly #spec: ServerSpec;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #paused = false;

  private constructor(spec: ServerSpec) {
    this.port = spec.port;
    this.access = spec.access ?? { port: spec.port };
    this.#spec = spec;
    this.#folder = join(spec.sandbox.dir, String(spec.port));
    mkdirSync(this.#folder);
    writeFileSync(this.#configFile, this.#configText());
  }

  /** Resolves when the server answers PING. */
  static async start(spec: ServerSpec): Promise<ServerProcess> {
    const server = new ServerProcess(spec);
    await server.#launch();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `redis://${this.address}`;
  }

  /** Of the process that runs now, or ran last. */
  get pid(): number {
    return this.#child!.pid!;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Running and not paused. */
  get answers(): boolean {
    return this.running && !this.#paused;
  }

  /** Its output so far. */
  get log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  /** One command on a connection of its own; see RespClient.command. */
  command(...args: (string | Buffer | number)[]): Promise<RespValue> {
    return respCommand(this.access, ...args);
  }

  /** A connection that stays, for WATCH, MULTI, CLIENT ID and the like. */
  connect(): Promise<RespClient> {
    return RespClient.connect(this.access);
  }

  /** SIGKILL; resolves when the process is gone. Nothing is done where none runs. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** SIGSTOP: the kernel still accepts connections and bytes, nobody answers. Resolves when it has stopped. */
  async pause(): Promise<void> {
    this.#signal("SIGSTOP");
    this.#paused = true;
    await until(`${this.address} is stopped`, () => isStopped(this.pid));
  }

  /** SIGCONT. What was sent to it meanwhile is executed now. */
  resume(): void {
    this.#signal("SIGCONT");
    this.#paused = false;
  }

  /** Kills it if it runs and starts it again, same port and folder. Without persistence its data is gone. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  /** Through the child and never through its number, which may be another process's by now. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.kill(signal) !== true) throw new Error(`${signal}: ${this.address} does not run`);
  }

  async #launch(): Promise<void> {
    const { path, name } = serverBinary();
    const log = openSync(this.#logFile, "a");
    const args = [this.#configFile, ...(this.#spec.role === "sentinel" ? ["--sentinel"] : [])];
    this.#child = this.#spec.sandbox.spawn(path, args, log);
    this.#paused = false;
    closeSync(log);
    const outcome = await until(`${this.address} answers PING`, () => this.#startOutcome());
    if (outcome === "exited") throw new Error(`${name} ended at once: ${this.log.slice(-2_000)}`);
  }

  async #startOutcome(): Promise<"ready" | "exited" | false> {
    if (!this.running) return "exited";
    return (await this.command("PING")) === "PONG" && "ready";
  }

  get #configFile(): string {
    return join(this.#folder, "server.conf");
  }

  get #logFile(): string {
    return join(this.#folder, "server.log");
  }

  #configText(): string {
    const base = this.#spec.role === "sentinel" ? {} : SERVER_DEFAULTS;
    const config: ServerConfig = {
      port: String(this.port),
      bind: "127.0.0.1",
      "protected-mode": "no",
      dir: `"${this.#folder}"`,
      ...base,
      ...this.#spec.config,
    };
    const lines = Object.entries(config).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name} ${value}`),
    );
    return `${lines.join("\n")}\n`;
  }
}

let binary: ServerBinary | undefined;

function serverBinary(): ServerBinary {
  binary ??= findServer();
  if (binary === undefined) throw new Error("no server to test with: run `node scripts/ensure-server.mjs`");
  return binary;
}

/** A signal is delivered a moment after it is sent. Where there is no /proc the moment is not waited for. */
function isStopped(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return true;
  const stat = readFileSync(path, "utf8");
  return stat.slice(stat.lastIndexOf(")")).startsWith(") T");
}
