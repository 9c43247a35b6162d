/** Holdfast: state management on Redis and Valkey. */
export { connect, holdfast } from "./connect.ts";
export type { ConnectOptions } from "./connect.ts";
export type { BorrowedClient } from "./driver/node-redis/borrowed-client.ts";
export type { ConnectionOptions } from "./driver/connection/options.ts";
export type { Credentials, TlsOptions } from "./driver/connection/raw-client.ts";
export type { ResilienceOptions } from "./driver/resilience/options.ts";
export type { Holdfast } from "./holdfast.ts";
export type { Duration } from "./base/options.ts";
export type { Id } from "./core/keyspace/keyspace.ts";
export * from "./base/errors.ts";
export type { Cache, CacheLoaded } from "./cache/cache.ts";
export type { Cached } from "./cache/cached/cached.ts";
export type { CachedOptions } from "./cache/cached/options.ts";
export type { CacheExplanation } from "./cache/explain.ts";
export type {
  CacheGetOrSetOptions,
  CacheInvalidateOptions,
  CacheOptions,
  CacheEntryOptions,
  CacheSetOptions,
  CacheTouchOptions,
  CacheWriteOptions,
} from "./cache/options.ts";
export type { CacheWrite, CacheWriteContext, CacheWriteEntry, CacheWriterOptions } from "./cache/writer/options.ts";
export type { CacheWriter, CacheWriterLag } from "./cache/writer/cache-writer.ts";
export type { CacheDeadWrite, CacheDeadWrites } from "./cache/writer/dead-writes.ts";
export type { CacheWriteResult } from "./cache/writer/writer.ts";
export type { CacheWriterStats } from "./cache/writer/flusher.ts";
export type { CacheL1Options } from "./cache/l1/options.ts";
export type { CacheL1Stats, CacheStats } from "./cache/stats.ts";
export type { CacheLoad, CacheLoadContext, CacheLoadMany, CacheLoadManyContext, NotModified } from "./cache/load.ts";
export type { Channel, ChannelPattern, ChannelPatternMessage } from "./channel/channel.ts";
export type { ChannelSubscription, ChannelMessageContext, ChannelHandler } from "./channel/dispatcher.ts";
export type {
  ChannelGap,
  ChannelOptions,
  ChannelPatternOptions,
  ChannelMessagesOptions,
  ChannelOverflow,
  ChannelRawMessage,
  ChannelSubscribeOptions,
} from "./channel/options.ts";
export type { ChannelStream } from "./channel/stream.ts";
export { escapeGlob } from "./core/keyspace/scan.ts";
export type { ScanOptions } from "./core/keyspace/scan.ts";
export type { SessionPatchResult, SessionUpdateResult } from "./sessions/changes.ts";
export type {
  SessionCreateOptions,
  SessionCreateResult,
  SessionPatchOptions,
  SessionRevokeAllOptions,
  SessionRotateOptions,
  Sessions,
  SessionsStats,
  SessionUpdateOptions,
} from "./sessions/sessions.ts";
export type { SessionRotateResult } from "./sessions/rotation.ts";
export type { Session, SessionInfo, SessionPatch } from "./sessions/session.ts";
export type { SessionsOptions } from "./sessions/options.ts";
export type { Limiter, LimiterCostOptions } from "./limiter/limiter.ts";
export type { LimiterOptions } from "./limiter/options.ts";
export type { LimiterDecision, LimiterPolicy } from "./limiter/decision.ts";
export { rateLimitHeaders } from "./limiter/headers.ts";
export type { RateLimitHeaders } from "./limiter/headers.ts";
export { ipKey } from "./limiter/ip-key.ts";
export type { IpKeyOptions } from "./limiter/ip-key.ts";
export type { Counter, CounterIncrementOptions, CounterIncrementResult } from "./counter/counter.ts";
export type { CounterOptions } from "./counter/options.ts";
export type {
  RecordNumberField,
  RecordIncrementResult,
  RecordPatchResult,
  Records,
  RecordSetResult,
  RecordUpdateOptions,
  RecordWriteOptions,
  RecordEntry,
} from "./records/records.ts";
export type { RecordPatch } from "./records/format.ts";
export type { RecordsOptions } from "./records/options.ts";
export type { RecordUpdateResult } from "./records/updater.ts";
export type { Geo, GeoMatches } from "./geo/geo.ts";
export type { GeoOptions } from "./geo/options.ts";
export type { GeoBoxOptions, GeoCenter, GeoNearestOptions, GeoPoint, GeoRadiusOptions } from "./geo/query.ts";
export type { GeoMatch } from "./geo/store.ts";
export { createCodec } from "./core/codec/codec.ts";
export type {
  Codec,
  CodecContext,
  CodecOptions,
  CompressOptions,
  Compression,
  EncryptOptions,
  Serializer,
} from "./core/codec/codec.ts";
export type {
  Arg,
  Call,
  Capabilities,
  ChannelKind,
  ChannelListener,
  Driver,
  InvalidationListener,
  Lease,
  NodeInfo,
  OpClass,
  Reply,
  Route,
  ScriptSource,
  StateEvent,
  Subscription,
} from "./driver/port.ts";
export { OPERATION_CHANNEL } from "./core/observe/observe.ts";
export type { Operation } from "./core/observe/observe.ts";
export type { Fenced, FencedOptions, FencedResult, FencedValue } from "./lock/fenced.ts";
export type { HeldLock, LockExtendResult, LockReleaseResult } from "./lock/held-lock.ts";
export type { Lock, LockTryResult } from "./lock/lock.ts";
export type { LockInfo } from "./lock/store.ts";
export type { LockAcquireOptions, LockOptions } from "./lock/options.ts";
export type { CommandArg } from "./core/command/command.ts";
export type { Transaction, TransactionArg } from "./transaction/attempt.ts";
export type { TransactionBody, TransactionOptions, TransactionResult } from "./transaction/transaction.ts";
export type {
  Leaderboard,
  LeaderboardBestResult,
  LeaderboardIncrementOptions,
  LeaderboardPageOptions,
} from "./leaderboard/leaderboard.ts";
export type { LeaderboardEntry, LeaderboardPage, LeaderboardStanding } from "./leaderboard/entries.ts";
export type { LeaderboardOptions, LeaderboardOrder, LeaderboardTies } from "./leaderboard/options.ts";
export type { Tags, TagsAddOptions, TagsChangeResult, TagsPage } from "./tags/tags.ts";
export type { TagsPageOptions, TagsQuery } from "./tags/query.ts";
export type { TagsOptions } from "./tags/options.ts";
export type { TraceContext, TracedRun, TraceHooks } from "./core/observe/trace.ts";
export type { Queue } from "./queue/queue.ts";
export type { QueueAddResult } from "./queue/add-result.ts";
export type { QueueUnique, QueueUniqueMode } from "./queue/jobs/adding.ts";
export type { QueueCleanOptions, QueueObliterateOptions } from "./queue/jobs/bulk.ts";
export type {
  QueueCancelResult,
  QueueRemoveResult,
  QueueRetryResult,
  QueueUpdate,
  QueueUpdateResult,
} from "./queue/jobs/changes.ts";
export type { QueueJobInfo, QueueJobState } from "./queue/jobs/info.ts";
export type { QueueKeep, QueueRetention } from "./queue/jobs/keep.ts";
export type { QueuePage, QueuePageOptions } from "./queue/jobs/pages.ts";
export type { QueueLog } from "./queue/jobs/reports.ts";
export type { QueueResult, QueueResultOptions } from "./queue/jobs/results.ts";
export type {
  QueueFilter,
  QueueSelection,
  QueueSelectionOptions,
  QueueSelectionResult,
} from "./queue/jobs/selection.ts";
export type {
  QueueDeadJob,
  QueueDeadLetters,
  QueueDeadPage,
  QueueDeadPageOptions,
  QueueRedriveOptions,
} from "./queue/dead-letters.ts";
export { Discard, Limited, RetryAfter, Snooze } from "./queue/failure.ts";
export type { QueueClaimOptions } from "./queue/manual/claims.ts";
export type { QueueExtendResult, QueueHeldJob, QueueHeldResult, QueueReleaseOptions } from "./queue/manual/held-job.ts";
export type { QueueBatch, QueueBatchOptions } from "./queue/flows/batch.ts";
export type { QueueChild, QueueOnDead } from "./queue/flows/child.ts";
export type { QueueFlow, QueueFlows } from "./queue/flows/flows.ts";
export type { QueueEvent } from "./queue/events/event.ts";
export type { QueueEvents, QueueEventsOptions } from "./queue/events/stream.ts";
export type { QueueChildResult } from "./queue/flows/fan-in.ts";
export type { LimitedOptions, QueueFailure } from "./queue/failure.ts";
export type {
  QueueAddManyOptions,
  QueueAddOptions,
  QueueBackoff,
  QueueBackoffFunction,
  QueueChildOptions,
  QueueEventsNoted,
  QueueOptions,
  QueuePriority,
  QueueWorkManyOptions,
  QueueWorkOptions,
} from "./queue/options.ts";
export type { QueueCommit, QueueCommitOptions, QueueCommitResult } from "./queue/commit.ts";
export type { QueueDurability, QueueDurabilityResult } from "./queue/durability.ts";
export type { QueueGroupInfo, QueueGroups, QueueGroupsPage, QueueGroupsPageOptions } from "./queue/groups/groups.ts";
export type { QueueLimits } from "./queue/groups/limits.ts";
export type { QueueGroupOptions, QueueLimitsOptions, QueueRate } from "./queue/groups/options.ts";
export type { QueueJob, QueueWaitOptions } from "./queue/job.ts";
export type { QueueRunCounts, QueueStats } from "./queue/overview/counts.ts";
export type { QueueCounts } from "./queue/overview/job-counts.ts";
export type { QueueTimes } from "./queue/overview/histogram.ts";
export type { QueueOverview, QueueStatsOptions, QueueStatsPoint, QueueWorkerInfo } from "./queue/overview/overview.ts";
export type { QueueSchedule } from "./queue/schedules/schedule.ts";
export type { QueueSchedulePage, QueueSchedules } from "./queue/schedules/schedules.ts";
export type { QueueTicker, QueueTickerStats } from "./queue/schedules/ticker.ts";
export type {
  QueueScheduleCatchUp,
  QueueScheduleMissed,
  QueueScheduleOptions,
  QueueScheduleOverlap,
  QueueSchedulePageOptions,
  QueueTickerOptions,
} from "./queue/schedules/options.ts";
export type { QueueSignalResult, QueueSource } from "./queue/steps/steps.ts";
export type { QueueHandler, QueueHandlers, QueueJobName, QueueJobs, QueuePayloadOf } from "./queue/names.ts";
export type { QueueThreadHandler, QueueThreadJob } from "./queue/threads/pool.ts";
export type { QueueDeath, QueueDeathOptions } from "./queue/workers/deaths.ts";
export type { QueueHandling, QueueWithOptions } from "./queue/workers/handling.ts";
export type { QueueLimiter, QueueLimiterOptions, QueueLimiterSource } from "./queue/workers/limiting.ts";
export type { QueueWorkSeveralOptions } from "./queue/workers/several.ts";
export type { QueueAddition, QueueMiddleware } from "./queue/workers/middleware.ts";
export type { QueueManyHandler, QueueManyJob } from "./queue/workers/gatherings.ts";
export type { QueueWorker, QueueWorkerStats } from "./queue/worker.ts";
