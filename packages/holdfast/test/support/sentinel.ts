/** A primary with two replicas, watched over by three sentinels with a quorum of two. */
import { freePorts } from "./ports.ts";
import type { RespValue } from "./resp.ts";
import { Sandbox } from "./sandbox.ts";
import { ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

const GROUP = "holdfast";
const QUORUM = 2;
const DOWN_AFTER_MS = 1_000;
const FAILOVER_TIMEOUT_MS = 3_000;

/**
 * Sentinel asks its servers for news each 10 s and presents itself each 2 s; a returning primary is made a replica
 * after four presentations. These are its own switches for tests.
 */
const FASTER = ["INFO-PERIOD", "500", "PUBLISH-PERIOD", "500"];

/** Resolves when all know each other, about two seconds after the call. */
export async function startSentinel(): Promise<SentinelGroup> {
  const sandbox = new Sandbox("sentinel");
  try {
    const [primaryPort = 0, ...ports] = await freePorts(6);
    const sentinelPorts = ports.splice(2);
    const primary = await ServerProcess.start({ sandbox, port: primaryPort, config: {} });
    const replication = { replicaof: `127.0.0.1 ${primaryPort}` };
    const replicas = await Promise.all(
      ports.map((port) => ServerProcess.start({ sandbox, port, config: replication })),
    );
    // A sentinel that starts later finds the replicas in its first question to the primary.
    await until("both replicas follow", () => allFollow(replicas, primary));
    const sentinels = await Promise.all(sentinelPorts.map((port) => startOne(sandbox, port, primaryPort)));
    const group = new SentinelGroup([primary, ...replicas], sentinels, sandbox);
    await group.waitHealthy();
    return group;
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

async function startOne(sandbox: Sandbox, port: number, primaryPort: number): Promise<ServerProcess> {
  const config = {
    sentinel: [
      `monitor ${GROUP} 127.0.0.1 ${primaryPort} ${QUORUM}`,
      `down-after-milliseconds ${GROUP} ${DOWN_AFTER_MS}`,
      `failover-timeout ${GROUP} ${FAILOVER_TIMEOUT_MS}`,
      `parallel-syncs ${GROUP} 2`,
    ],
  };
  const sentinel = await ServerProcess.start({ sandbox, port, config, role: "sentinel" });
  await sentinel.command("SENTINEL", "DEBUG", ...FASTER);
  return sentinel;
}

export class SentinelGroup implements AsyncDisposable {
  /** The name that clients ask the sentinels for. */
  readonly name: string = GROUP;
  /** The three servers, whatever their role is now. */
  readonly servers: readonly ServerProcess[];
  readonly sentinels: readonly ServerProcess[];
  readonly #sandbox: Sandbox;

  constructor(servers: readonly ServerProcess[], sentinels: readonly ServerProcess[], sandbox: Sandbox) {
    this.servers = servers;
    this.sentinels = sentinels;
    this.#sandbox = sandbox;
  }

  get url(): string {
    return `redis-sentinel://${this.sentinels.map((sentinel) => sentinel.address).join(",")}/${GROUP}`;
  }

  /** Whom the first sentinel that answers names. During a failover that is the old one until the new one is chosen. */
  async primary(): Promise<ServerProcess> {
    const sentinel = this.sentinels.find((each) => each.answers);
    if (sentinel === undefined) throw new Error("no sentinel answers");
    const port = await primaryPort(sentinel);
    return this.servers.find((server) => server.port === port)!;
  }

  /** The servers that are not the primary and answer. */
  async replicas(): Promise<ServerProcess[]> {
    const primary = await this.primary();
    return this.servers.filter((server) => server !== primary && server.answers);
  }

  /** A failover that the sentinels are asked for, the primary being in good health. Resolves with the new primary. */
  async failover(): Promise<ServerProcess> {
    const before = await this.primary();
    await this.sentinels[0]!.command("SENTINEL", "FAILOVER", GROUP);
    await until("another primary is named", async () => (await this.primary()) !== before);
    await this.waitHealthy();
    return this.primary();
  }

  /** Resolves when all sentinels that answer name one primary that answers, and all other servers follow it. */
  async waitHealthy(timeoutMs = 30_000): Promise<void> {
    await until("the sentinel group is healthy", () => this.#isHealthy(), timeoutMs);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.kill()));
    await this.#sandbox.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #isHealthy(): Promise<boolean> {
    const primary = await this.primary();
    const sentinels = this.sentinels.filter((sentinel) => sentinel.answers);
    const content = await Promise.all(sentinels.map((sentinel) => this.#isContent(sentinel, primary)));
    return primary.answers && content.every(Boolean) && (await allFollow(await this.replicas(), primary));
  }

  async #isContent(sentinel: ServerProcess, primary: ServerProcess): Promise<boolean> {
    const view = toRecord(await sentinel.command("SENTINEL", "MASTER", GROUP));
    return (
      view["port"] === String(primary.port) &&
      view["flags"] === "master" &&
      view["num-slaves"] === String(this.servers.length - 1) &&
      view["num-other-sentinels"] === String(this.sentinels.length - 1)
    );
  }
}

async function primaryPort(sentinel: ServerProcess): Promise<number> {
  const [, port] = (await sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP)) as string[];
  return Number(port);
}

async function allFollow(replicas: readonly ServerProcess[], primary: ServerProcess): Promise<boolean> {
  const follows = async (replica: ServerProcess): Promise<boolean> => {
    const [role, , port, link] = (await replica.command("ROLE")) as RespValue[];
    return role === "slave" && port === primary.port && link === "connected";
  };
  return (await Promise.all(replicas.map(follows))).every(Boolean);
}

/** A flat list of names and values. */
function toRecord(reply: RespValue): Record<string, string> {
  const flat = reply as string[];
  const record: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) record[flat[at]!] = flat[at + 1]!;
  return record;
}
