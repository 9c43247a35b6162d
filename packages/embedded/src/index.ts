/** An in-process Redis-compatible server for beginning, for tests and for simulation; not for production. */
export { type ClusterView, keysInSlot, moveKey, type SlotRange } from "./engine/cluster.ts";
export { type Clock, RealClock, type Timer, VirtualClock } from "./base/clock.ts";
export type { InProcessConnection, InProcessListener } from "./net/in-process.ts";
export type { Delivery, Ends, Network, Path } from "./net/network.ts";
export { keepSnapshot, type SnapshotKeeper, type SnapshotOptions, type SnapshotSource } from "./persistence/keeper.ts";
export { loadSnapshot, SnapshotError, takeSnapshot } from "./persistence/snapshot.ts";
export {
  BigNumber,
  Bool,
  Double,
  ErrorReply,
  MapReply,
  Nil,
  Push,
  type Reply,
  SetReply,
  Several,
  Status,
  type TypedReply,
  Verbatim,
} from "./base/reply.ts";
export { SeededRandom } from "./base/random.ts";
export { createServer, type EmbeddedServer, type ServerOptions } from "./server.ts";
