/**
 * The whole state of one server, free of transports: databases, clients, subscriptions, settings, time.
 *
 * The files of this folder know each other: a session changes a database, a changed key wakes a session, a script is both. That
 * circle is the engine's core, and the only one outside the Lua runtime. It ends at the folder: commands are handed to it by the server.
 */
import { BlockedClients } from "./blocking.ts";
import { Busy } from "./scripting/busy.ts";
import { type Clock, RealClock, type Timer } from "../base/clock.ts";
import type { CommandTable } from "./command.ts";
import { Config } from "../config/config.ts";
import { Database } from "./database.ts";
import { Expiry } from "./expiry.ts";
import { Functions } from "./scripting/functions.ts";
import { Monitors } from "./monitor.ts";
import { parseEventClasses } from "../config/notifications.ts";
import { Pause } from "./pause.ts";
import { PubSub } from "./pubsub.ts";
import { Scripts } from "./scripting/scripts.ts";
import type { ClusterView } from "./cluster.ts";
import { type Outlet, Session } from "./session.ts";
import { Stats } from "./stats.ts";
import { Tracking } from "./tracking.ts";
import { Users } from "./users.ts";

export interface EngineOptions {
  /** @default the real one */
  readonly clock?: Clock | undefined;
  /** Password of the default user; without one, or with an empty one, everybody is let in. @default none */
  readonly password?: string | undefined;
  /** Passwords of users by name, none of them empty. `default` is the same as `password`. @default none */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** 0 <= x < 1; for SPOP, RANDOMKEY and the like. @default Math.random */
  readonly random?: (() => number) | undefined;
  /** The cluster that this server is a part of; for simulations, which make one of several servers. @default none */
  readonly cluster?: ClusterView | undefined;
}

const DATABASES = 16;
/** In bytes: V8 has no longer strings than 2^29 - 24, and a reply needs some around the value. Redis's own limit is 2^29. */
const LONGEST_STRING = 2 ** 29 - 64;

export class Engine {
  readonly clock: Clock;
  readonly random: () => number;
  readonly cluster: ClusterView | undefined;
  readonly config: Config = new Config();
  readonly users: Users;
  readonly commands: CommandTable;
  readonly databases: readonly Database[];
  readonly sessions: Map<number, Session> = new Map();
  readonly pubsub: PubSub = new PubSub();
  readonly tracking: Tracking = new Tracking(this);
  /** A script that has run for too long to let the others wait. */
  readonly busy: Busy = new Busy(this);
  readonly blocked: BlockedClients = new BlockedClients(this);
  readonly monitors: Monitors = new Monitors();
  readonly pause: Pause = new Pause(this);
  readonly expiry: Expiry = new Expiry(this);
  readonly scripts: Scripts;
  readonly functions: Functions = new Functions(this);
  readonly stats: Stats = new Stats();
  readonly runId: string;
  readonly startedAtMs: number;
  /** The running command's time, in milliseconds since the epoch. */
  nowMs: number;
  /** The client whose command is running. */
  current: Session | undefined;
  /** The client whose script is running, and the keys it declared. */
  caller: { readonly session: Session; readonly keys: readonly string[] } | undefined;
  /** Bits of `notify-keyspace-events`. */
  eventMask = 0;
  /** Called by SHUTDOWN; a server that listens closes itself with it. */
  onShutdown: () => void = () => this.close();
  /** There are no replicas: `min-replicas-to-write` refuses every write, unless `min-replicas-max-lag` is off. */
  enoughReplicas = true;
  /** `proto-max-bulk-len` in bytes, or what a string can hold where that is less. */
  maxBulkLength: number;
  #lastId = 0;

  constructor(commands: CommandTable, options: EngineOptions = {}) {
    this.commands = commands;
    this.clock = options.clock ?? new RealClock();
    this.random = options.random ?? Math.random;
    this.cluster = options.cluster;
    this.runId = runId(this.random);
    this.nowMs = this.clock.nowMs();
    this.startedAtMs = this.nowMs;
    this.maxBulkLength = this.#longestValue();
    this.users = new Users(options.users, options.password);
    this.databases = Array.from({ length: DATABASES }, (_, index) => new Database(this, index));
    this.scripts = new Scripts(this);
    this.config.assign("requirepass", defaultPassword(options));
    this.config.onChange(() => this.#settingsChanged());
  }

  /** The index must be one of the databases. */
  database(index: number): Database {
    return this.databases[index] as Database;
  }

  connect(outlet: Outlet): Session {
    const session = new Session(this, ++this.#lastId, outlet);
    this.sessions.set(session.id, session);
    this.stats.connections += 1;
    return session;
  }

  /** Each command, and each event from outside, begins here: time is read once. */
  begin(session: Session | undefined): void {
    this.nowMs = this.clock.nowMs();
    this.current = session;
    if (session !== undefined) session.usedAtMs = this.nowMs;
  }

  /** Each command ends here: caches are informed, waiters are served. What a busy script has done so far, at its end. */
  afterCommand(session: Session | undefined): void {
    if (!this.busy.active) {
      this.informCaches(session);
      this.blocked.serve();
      this.tracking.broadcastChanges();
    }
    this.current = undefined;
  }

  /** After the answer of a session's command, it learns what it changed itself. */
  informCaches(session: Session | undefined): void {
    this.tracking.informAuthor(session);
    if (session?.tracking !== undefined) endCaching(session);
  }

  /** For what happens without a command: a key's time is over, a wait ends. */
  outsideCommand(work: () => void): void {
    this.begin(undefined);
    try {
      work();
    } finally {
      this.afterCommand(undefined);
    }
  }

  /** Every timer of the server that changes data or answers clients. */
  setTimer(delayMs: number, task: () => void): Timer {
    return this.busy.setTimer(this.clock, delayMs, task);
  }

  /** Ends every session. */
  close(): void {
    this.busy.close();
    this.expiry.close();
    this.pause.close();
    for (const session of this.sessions.values()) {
      session.close();
      session.outlet.close();
    }
  }

  #longestValue(): number {
    return Math.min(this.config.number("proto-max-bulk-len"), LONGEST_STRING);
  }

  #settingsChanged(): void {
    this.eventMask = parseEventClasses(this.config.text("notify-keyspace-events")) ?? 0;
    this.maxBulkLength = this.#longestValue();
    this.enoughReplicas =
      this.config.number("min-replicas-to-write") === 0 || this.config.number("min-replicas-max-lag") === 0;
    this.tracking.limit(this.config.number("tracking-table-max-keys"));
    this.users.setPassword("default", this.config.text("requirepass"));
  }
}

function defaultPassword({ password = "", users = {} }: EngineOptions): string {
  return Object.hasOwn(users, "default") ? (users["default"] ?? "") : password;
}

/** Forty hexadecimal digits. */
function runId(random: () => number): string {
  return Array.from({ length: 40 }, () => Math.floor(random() * 16).toString(16)).join("");
}

/** CLIENT CACHING holds for one command, or for one transaction. */
function endCaching(session: Session): void {
  const { tracking } = session;
  if (tracking?.caching !== true || session.transaction !== undefined) return;
  if (!session.lastCommand.startsWith("client|")) tracking.caching = false;
}
