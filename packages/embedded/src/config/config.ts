/**
 * CONFIG parameters with Redis 7.0's names and defaults. Most have no effect here and are kept so that clients and tests can
 * read and set them; the server reads those it obeys through `text`, `number` and `flag`. Longer than other files because of the table.
 */
import { cString } from "../base/errors.ts";
import { formatEventClasses, parseEventClasses } from "./notifications.ts";
import { parseInt64 } from "../base/numbers.ts";

type Type =
  | { readonly kind: "text" }
  | { readonly kind: "flag" }
  | { readonly kind: "number"; readonly bounds: Bounds; readonly isMemory: boolean }
  | { readonly kind: "memory" }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "events" };

type Bounds = readonly [min: number, max: number | bigint];

interface Parameter {
  readonly name: string;
  readonly type: Type;
  readonly fixed: boolean;
  value: string;
}

const MAX_INT = 2147483647;
const MAX_LONG = 2n ** 63n - 1n;

const TEXTS: Readonly<Record<string, string>> = {
  "bind-source-addr": "",
  dir: "",
  dbfilename: "dump.rdb",
  requirepass: "",
  masteruser: "",
  masterauth: "",
  save: "",
  "client-output-buffer-limit": "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
  "latency-tracking-info-percentiles": "50 99 99.9",
  "oom-score-adj-values": "0 200 800",
  "proc-title-template": "{title} {listen-addr} {server-mode}",
  replicaof: "",
  slaveof: "",
};

const FIXED_TEXTS: Readonly<Record<string, string>> = {
  bind: "* -::*",
  unixsocket: "",
  aclfile: "",
  appendfilename: "appendonly.aof",
  appenddirname: "appendonlydir",
  logfile: "",
  pidfile: "",
};

const FLAGS: Readonly<Record<string, boolean>> = {
  "always-show-logo": false,
  "rdb-save-incremental-fsync": true,
  rdbcompression: true,
  rdbchecksum: true,
  activerehashing: true,
  "stop-writes-on-bgsave-error": true,
  "set-proc-title": true,
  "dynamic-hz": true,
  appendonly: false,
  "aof-use-rdb-preamble": true,
  "aof-load-truncated": true,
  "no-appendfsync-on-rewrite": false,
  "aof-timestamp-enabled": false,
  "lazyfree-lazy-eviction": false,
  "lazyfree-lazy-expire": false,
  "lazyfree-lazy-server-del": false,
  "lazyfree-lazy-user-del": false,
  "lazyfree-lazy-user-flush": false,
  "replica-serve-stale-data": true,
  "replica-read-only": true,
  "repl-diskless-sync": true,
  "protected-mode": true,
  activedefrag: false,
  "latency-tracking": true,
  "cluster-require-full-coverage": true,
};

const FIXED_FLAGS: Readonly<Record<string, boolean>> = {
  "cluster-enabled": false,
  daemonize: false,
  "io-threads-do-reads": false,
};

/** `[default, min, max]` */
const NUMBERS: Readonly<Record<string, readonly [number, ...Bounds]>> = {
  hz: [10, 1, 500],
  timeout: [0, 0, MAX_INT],
  "tcp-keepalive": [300, 0, MAX_INT],
  maxclients: [10000, 1, MAX_INT],
  "maxmemory-samples": [5, 1, MAX_INT],
  "active-expire-effort": [1, 1, 10],
  "list-max-listpack-size": [-2, -MAX_INT, MAX_INT],
  "list-compress-depth": [0, 0, MAX_INT],
  "hash-max-listpack-entries": [512, 0, MAX_LONG],
  "set-max-intset-entries": [512, 0, MAX_LONG],
  "zset-max-listpack-entries": [128, 0, MAX_LONG],
  "stream-node-max-entries": [100, 0, MAX_LONG],
  "slowlog-log-slower-than": [10000, -1, MAX_LONG],
  "slowlog-max-len": [128, 0, MAX_LONG],
  "latency-monitor-threshold": [0, 0, MAX_LONG],
  "lua-time-limit": [5000, 0, MAX_LONG],
  "tracking-table-max-keys": [1000000, 0, MAX_LONG],
  "min-replicas-to-write": [0, 0, MAX_INT],
  "min-replicas-max-lag": [10, 0, MAX_INT],
  "repl-timeout": [60, 1, MAX_INT],
  "replica-priority": [100, 0, MAX_INT],
  "lfu-log-factor": [10, 0, MAX_INT],
  "lfu-decay-time": [1, 0, MAX_INT],
  "auto-aof-rewrite-percentage": [100, 0, MAX_INT],
  "acllog-max-len": [128, 0, MAX_LONG],
  "shutdown-timeout": [10, 0, MAX_INT],
};

/** As `NUMBERS`, but written like memory: `1kb`. */
const SIZES: Readonly<Record<string, readonly [number, ...Bounds]>> = {
  "hash-max-listpack-value": [64, 0, MAX_LONG],
  "zset-max-listpack-value": [64, 0, MAX_LONG],
  "hll-sparse-max-bytes": [3000, 0, MAX_LONG],
};

const FIXED_NUMBERS: Readonly<Record<string, number>> = {
  port: 0,
  "tls-port": 0,
  databases: 16,
  "io-threads": 1,
  "tcp-backlog": 511,
  unixsocketperm: 0,
};

const MEMORY: Readonly<Record<string, number>> = {
  maxmemory: 0,
  "maxmemory-clients": 0,
  "proto-max-bulk-len": 536870912,
  "client-query-buffer-limit": 1073741824,
  "repl-backlog-size": 1048576,
  "stream-node-max-bytes": 4096,
  "active-defrag-ignore-bytes": 104857600,
  "auto-aof-rewrite-min-size": 67108864,
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  "maxmemory-policy": [
    "noeviction",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
  ],
  appendfsync: ["everysec", "always", "no"],
  loglevel: ["notice", "debug", "verbose", "warning"],
  "sanitize-dump-payload": ["no", "yes", "clients"],
  "acl-pubsub-default": ["resetchannels", "allchannels"],
  "oom-score-adj": ["no", "yes", "relative", "absolute"],
  "repl-diskless-load": ["disabled", "on-empty-db", "swapdb"],
  "propagation-error-behavior": ["ignore", "panic", "panic-on-replicas"],
  supervised: ["no", "upstart", "systemd", "auto"],
};

/** Old names, which CONFIG GET lists beside the new ones. */
const ALIASES: Readonly<Record<string, string>> = {
  "list-max-ziplist-size": "list-max-listpack-size",
  "hash-max-ziplist-entries": "hash-max-listpack-entries",
  "hash-max-ziplist-value": "hash-max-listpack-value",
  "zset-max-ziplist-entries": "zset-max-listpack-entries",
  "zset-max-ziplist-value": "zset-max-listpack-value",
  "busy-reply-threshold": "lua-time-limit",
  "slave-serve-stale-data": "replica-serve-stale-data",
  "slave-read-only": "replica-read-only",
  "slave-priority": "replica-priority",
  "min-slaves-to-write": "min-replicas-to-write",
  "min-slaves-max-lag": "min-replicas-max-lag",
};

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1000],
  ["kb", 1024],
  ["m", 1e6],
  ["mb", 1024 ** 2],
  ["g", 1e9],
  ["gb", 1024 ** 3],
]);
/** Redis copies the digits into a buffer of this size. */
const MOST_DIGITS = 127;
const MAX_UNSIGNED = 2n ** 64n - 1n;

/** What is wrong with a value, as CONFIG SET's answer ends. */
export interface ConfigProblem {
  readonly name: string;
  readonly reason: string;
}

export class Config {
  readonly #parameters = new Map<string, Parameter>();
  readonly #listeners: (() => void)[] = [];

  constructor() {
    for (const [name, value] of Object.entries(TEXTS)) this.#define(name, { kind: "text" }, value);
    for (const [name, value] of Object.entries(FIXED_TEXTS)) this.#define(name, { kind: "text" }, value, true);
    for (const [name, value] of Object.entries(FLAGS)) this.#define(name, { kind: "flag" }, yesNo(value));
    for (const [name, value] of Object.entries(FIXED_FLAGS)) this.#define(name, { kind: "flag" }, yesNo(value), true);
    for (const [name, [value, ...bounds]] of Object.entries(NUMBERS)) {
      this.#define(name, { kind: "number", bounds, isMemory: false }, String(value));
    }
    for (const [name, [value, ...bounds]] of Object.entries(SIZES)) {
      this.#define(name, { kind: "number", bounds, isMemory: true }, String(value));
    }
    for (const [name, value] of Object.entries(FIXED_NUMBERS))
      this.#define(name, { kind: "text" }, String(value), true);
    for (const [name, value] of Object.entries(MEMORY)) this.#define(name, { kind: "memory" }, String(value));
    for (const [name, values] of Object.entries(CHOICES))
      this.#define(name, { kind: "choice", values }, values[0] ?? "");
    this.#define("notify-keyspace-events", { kind: "events" }, "");
    for (const [alias, name] of Object.entries(ALIASES)) this.#parameters.set(alias, this.#parameter(name));
  }

  #define(name: string, type: Type, value: string, fixed = false): void {
    this.#parameters.set(name, { name, type, fixed, value });
  }

  text(name: string): string {
    return this.#parameter(name).value;
  }

  /** As CONFIG GET shows it. */
  shown(name: string): string {
    const { type, value } = this.#parameter(name);
    return type.kind === "events" ? formatEventClasses(parseEventClasses(value) ?? 0) : value;
  }

  number(name: string): number {
    return Number(this.#parameter(name).value);
  }

  flag(name: string): boolean {
    return this.#parameter(name).value === "yes";
  }

  names(): MapIterator<string> {
    return this.#parameters.keys();
  }

  /** Called after each change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** All of the changes or none. */
  set(changes: ReadonlyMap<string, string>): ConfigProblem | undefined {
    const accepted: [Parameter, string][] = [];
    for (const [given, text] of changes) {
      const parameter = this.#parameters.get(given);
      if (parameter === undefined) return { name: given, reason: "unknown" };
      if (parameter.fixed) return { name: given, reason: "can't set immutable config" };
      const value = normalise(parameter.type, text);
      if (value instanceof Refused) return { name: given, reason: value.reason };
      accepted.push([parameter, value]);
    }
    for (const [parameter, value] of accepted) parameter.value = value;
    for (const listener of this.#listeners) listener();
    return undefined;
  }

  /** For the server's own values, such as its port. */
  assign(name: string, value: string): void {
    this.#parameter(name).value = value;
  }

  #parameter(name: string): Parameter {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw new Error(`no configuration parameter is called ${name}`);
    return parameter;
  }
}

class Refused {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

function normalise(type: Type, given: string): string | Refused {
  const text = cString(given);
  switch (type.kind) {
    case "text":
      return given;
    case "flag": {
      const lower = text.toLowerCase();
      return lower === "yes" || lower === "no" ? lower : new Refused("argument must be 'yes' or 'no'");
    }
    case "number":
      return within(type.bounds, type.isMemory ? normaliseMemory(text) : normaliseNumber(given));
    case "memory":
      return normaliseMemory(text);
    case "choice": {
      const value = type.values.find((choice) => choice === text.toLowerCase());
      return value ?? new Refused(`argument(s) must be one of the following: ${type.values.join(", ")}`);
    }
    default: {
      const known = parseEventClasses(text) !== undefined;
      return known ? text : new Refused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
  }
}

function normaliseNumber(text: string): string | Refused {
  const value = parseInt64(text);
  return value === undefined ? new Refused("argument couldn't be parsed into an integer") : String(value);
}

function within([min, max]: Bounds, value: string | Refused): string | Refused {
  if (value instanceof Refused) return value;
  const fits = BigInt(value) >= min && BigInt(value) <= max;
  return fits ? value : new Refused(`argument must be between ${min} and ${max} inclusive`);
}

/** No digits at all are 0. */
function normaliseMemory(text: string): string | Refused {
  const match = /^(\d*)([a-z]*)$/.exec(text.toLowerCase());
  const [, digits = "", suffix = ""] = match ?? [];
  const unit = match === null ? undefined : UNITS.get(suffix);
  if (unit === undefined || digits.length > MOST_DIGITS) return new Refused("argument must be a memory value");
  const bytes = BigInt(digits) * BigInt(unit);
  return String(bytes > MAX_UNSIGNED ? MAX_UNSIGNED : bytes);
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}
