/**
 * Real servers, and a bad network in front of them, for tests and benchmarks. Each fixture starts its processes on free
 * ports in a temporary folder; they end with `stop()`, with `await using`, or at the latest with this process. Free of
 * vitest, so that any program can use it.
 */
export { startCluster, type Cluster } from "./cluster.ts";
export { freePort, freePorts } from "./ports.ts";
export { startProxy, type Proxy, type ProxyTarget, type Stranded } from "./proxy.ts";
export { type RespBytes, RespClient, respCommand, type RespOptions, type RespValue } from "./resp.ts";
export { startSentinel, type SentinelGroup } from "./sentinel.ts";
export type { ServerConfig, ServerProcess } from "./server-process.ts";
export type { MigrationEnd, SlotMigration } from "./slot-migration.ts";
export { startStandalone, type Standalone, type StandaloneOptions } from "./standalone.ts";
export { startTls, type TlsOptions, type TlsServer } from "./tls.ts";
export { until } from "./until.ts";
