/** Holdfast: state management on Redis and Valkey. */
export { connect } from "./connect.ts";
export type { ConnectOptions } from "./connect.ts";
export type { Holdfast } from "./holdfast.ts";
export type { Duration } from "./options.ts";
export type { Id } from "./keyspace/keyspace.ts";
export * from "./errors.ts";
export type { Cache, GetOrSetOptions, SetOptions } from "./cache/cache.ts";
export type { CacheOptions } from "./cache/options.ts";
export type { CacheStats } from "./cache/stats.ts";
export type { Load, LoadContext } from "./cache/loader.ts";
export type {
  CreateSessionOptions,
  Created,
  PatchSessionOptions,
  Patched,
  RevokeAllOptions,
  RotateSessionOptions,
  Sessions,
} from "./sessions/sessions.ts";
export type { Rotated } from "./sessions/rotation.ts";
export type { Session, SessionInfo, SessionPatch } from "./sessions/session.ts";
export type { SessionsOptions } from "./sessions/options.ts";
export { createCodec } from "./codec/codec.ts";
export type { Codec, CodecContext, CodecOptions, CompressOptions, Compression, EncryptOptions, Serializer } from "./codec/codec.ts";
export type {
  Arg,
  Call,
  Driver,
  Lease,
  NodeInfo,
  OpClass,
  Reply,
  Route,
  StateEvent,
  Subscription,
} from "./driver/port.ts";
export { OPERATION_CHANNEL } from "./observe/observe.ts";
export type { Operation } from "./observe/observe.ts";
