/** The text of INFO: sections of `name:value` lines. */
import type { Engine } from "../engine/engine.ts";
import { VERSION } from "../base/version.ts";

type Section = (engine: Engine) => readonly (readonly [string, string | number])[];

const SECTIONS: Readonly<Record<string, Section>> = {
  Server: (engine) => [
    ["redis_version", VERSION],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_mode", engine.cluster === undefined ? "standalone" : "cluster"],
    ["os", `${process.platform} ${process.arch}`],
    ["arch_bits", 64],
    ["process_id", process.pid],
    ["run_id", engine.runId],
    ["tcp_port", engine.config.text("port")],
    ["server_time_usec", engine.clock.nowMicros()],
    ["uptime_in_seconds", Math.floor((engine.nowMs - engine.startedAtMs) / 1000)],
    ["uptime_in_days", Math.floor((engine.nowMs - engine.startedAtMs) / 86_400_000)],
    ["hz", engine.config.text("hz")],
    ["configured_hz", engine.config.text("hz")],
    ["executable", "holdfast-embedded"],
    ["config_file", ""],
  ],
  Clients: (engine) => [
    ["connected_clients", engine.sessions.size],
    ["cluster_connections", 0],
    ["maxclients", engine.config.text("maxclients")],
    ["blocked_clients", engine.blocked.size + engine.pause.postponedCount],
    ["tracking_clients", engine.tracking.clientCount],
    ["clients_in_timeout_table", engine.blocked.size],
  ],
  Memory: (engine) => {
    const { heapUsed, rss } = process.memoryUsage();
    return [
      ["used_memory", heapUsed],
      ["used_memory_human", `${(heapUsed / 1024 ** 2).toFixed(2)}M`],
      ["used_memory_rss", rss],
      ["used_memory_peak", rss],
      ["maxmemory", engine.config.text("maxmemory")],
      ["maxmemory_human", "0B"],
      ["maxmemory_policy", engine.config.text("maxmemory-policy")],
      ["mem_fragmentation_ratio", "1.00"],
      ["mem_allocator", "v8"],
      ["mem_not_counted_for_evict", 0],
      ["number_of_cached_scripts", engine.scripts.size],
      ["number_of_functions", engine.functions.size],
      ["number_of_libraries", engine.functions.libraries.length],
      ["lazyfree_pending_objects", 0],
      ["lazyfreed_objects", 0],
    ];
  },
  Persistence: (engine) => [
    ["loading", 0],
    ["async_loading", 0],
    ["rdb_changes_since_last_save", engine.stats.changes],
    ["rdb_bgsave_in_progress", 0],
    ["rdb_last_save_time", Math.floor((engine.stats.savedAtMs || engine.startedAtMs) / 1000)],
    ["rdb_last_bgsave_status", "ok"],
    ["aof_enabled", 0],
    ["aof_rewrite_in_progress", 0],
    ["aof_rewrite_scheduled", 0],
    ["aof_last_bgrewrite_status", "ok"],
    ["aof_last_write_status", "ok"],
  ],
  Stats: (engine) => [
    ["total_connections_received", engine.stats.connections],
    ["total_commands_processed", engine.stats.commands],
    ["instantaneous_ops_per_sec", 0],
    ["rejected_connections", 0],
    ["expired_keys", engine.stats.expired],
    ["evicted_keys", 0],
    ["keyspace_hits", engine.stats.hits],
    ["keyspace_misses", engine.stats.misses],
    ["pubsub_channels", engine.pubsub.count("channel")],
    ["pubsub_patterns", engine.pubsub.count("pattern")],
    ["pubsubshard_channels", engine.pubsub.count("shard")],
    ["tracking_total_keys", engine.tracking.keyCount],
    ["tracking_total_items", engine.tracking.itemCount],
    ["tracking_total_prefixes", engine.tracking.prefixCount],
    ["total_error_replies", engine.stats.errors],
  ],
  Replication: (engine) => [
    ["role", "master"],
    ["connected_slaves", 0],
    ["master_failover_state", "no-failover"],
    ["master_replid", engine.runId],
    ["master_repl_offset", 0],
    ["repl_backlog_active", 0],
  ],
  CPU: () => {
    const { user, system } = process.cpuUsage();
    return [
      ["used_cpu_sys", (system / 1e6).toFixed(6)],
      ["used_cpu_user", (user / 1e6).toFixed(6)],
    ];
  },
  Modules: () => [],
  Commandstats: (engine) =>
    [...engine.stats.byCommand].map(
      ([name, { calls, rejected, failed }]) =>
        [
          `cmdstat_${name}`,
          `calls=${calls},usec=0,usec_per_call=0.00,rejected_calls=${rejected},failed_calls=${failed}`,
        ] as const,
    ),
  Errorstats: (engine) =>
    [...engine.stats.byError].map(([code, count]) => [`errorstat_${code}`, `count=${count}`] as const),
  Cluster: (engine) => [["cluster_enabled", engine.cluster === undefined ? 0 : 1]],
  Keyspace: (engine) =>
    engine.databases
      .filter((db) => db.size > 0)
      .map((db) => [`db${db.index}`, `keys=${db.size},expires=${db.volatileSize},avg_ttl=0`] as const),
};

/** Shown only when asked for, or with everything. */
const NOT_BY_DEFAULT = "commandstats";

/** @param wanted names of sections in any case; none means the default ones */
export function infoText(engine: Engine, wanted: readonly string[]): string {
  const names = new Set(wanted.map((name) => name.toLowerCase()));
  const everything = names.has("all") || names.has("everything");
  const byDefault = names.size === 0 || names.has("default");
  return Object.entries(SECTIONS)
    .filter(([name]) => {
      const section = name.toLowerCase();
      return everything || names.has(section) || (byDefault && section !== NOT_BY_DEFAULT);
    })
    .map(([name, section]) => {
      const lines = section(engine).map(([field, value]) => `${field}:${value}\r\n`);
      return `# ${name}\r\n${lines.join("")}`;
    })
    .join("\r\n");
}
