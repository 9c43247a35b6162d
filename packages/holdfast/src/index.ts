/** Holdfast: state management on Redis and Valkey. */
export { connect, holdfast, redlock } from "./connect.ts";
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
export type { CacheEntry, CacheLevels } from "./cache/manner.ts";
export type { CacheTtl } from "./cache/ttl.ts";
export type { CacheExplanation } from "./cache/explain.ts";
export type {
  CacheClearOptions,
  CacheGetOptions,
  CacheGetOrSetOptions,
  CacheInvalidateOptions,
  CacheKeysOptions,
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
export type { CacheL1Stats, CacheStats, CacheTimes } from "./cache/stats.ts";
export type { CacheLoadEvent, CacheReadEvent } from "./cache/outcomes.ts";
export type { CacheCoherenceEvent } from "./cache/l1/coherence.ts";
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
export type {
  ChannelRequestAllOptions,
  ChannelRequestOptions,
  ChannelRespondOptions,
} from "./channel/requests/options.ts";
export { ChannelReplyError } from "./channel/requests/reply-error.ts";
export type { ChannelRequestAllResult, ChannelRequestResult } from "./channel/requests/requester.ts";
export type { ChannelRequestContext, ChannelRequestHandler, ChannelResponder } from "./channel/requests/responder.ts";
export type { ChannelStream } from "./channel/stream.ts";
export type {
  Feed,
  FeedActivity,
  FeedFollowersOptions,
  FeedLive,
  FeedLiveOptions,
  FeedUnseen,
  FeedWorkOptions,
} from "./feed/feed.ts";
export type { FeedGrouping, FeedOptions } from "./feed/options.ts";
export type { FeedFollowers, FeedFollowOptions, FeedFollowResult } from "./feed/graph/graph.ts";
export type { FeedPublishOptions, FeedPublishResult } from "./feed/publish/publisher.ts";
export type { FeedWorker } from "./feed/publish/port.ts";
export type { FeedEntry, FeedGroup } from "./feed/read/hydrate.ts";
export type { FeedPage, FeedPageOptions, FeedReadOptions } from "./feed/read/page.ts";
export type { Series, SeriesAddOptions, SeriesAddResult, SeriesPoint } from "./series/series.ts";
export type { SeriesDuplicates } from "./series/chunk/points.ts";
export type { SeriesOptions, SeriesRollup } from "./series/options.ts";
export type { SeriesBucket } from "./series/query/buckets.ts";
export type {
  SeriesAggregate,
  SeriesFill,
  SeriesGroupOptions,
  SeriesLabels,
  SeriesRangeOptions,
  SeriesReduce,
  SeriesSpanOptions,
  SeriesWhere,
} from "./series/query/options.ts";
export type {
  Actives,
  ActivesCohort,
  ActivesCountOptions,
  ActivesMarkOptions,
  ActivesMarkResult,
  ActivesRetentionOptions,
  ActivesWindow,
} from "./actives/actives.ts";
export type { ActivesOptions } from "./actives/options.ts";
export type { Bloom, BloomAddResult, BloomInfo } from "./bloom/bloom.ts";
export type { BloomOptions } from "./bloom/options.ts";
export type { TopKEntry } from "./topk/merge.ts";
export type { TopKOptions } from "./topk/options.ts";
export type { TopK, TopKAddOptions, TopKAddResult, TopKCountOptions, TopKListOptions } from "./topk/topk.ts";
export type { UniquesOptions } from "./uniques/options.ts";
export type { UniquesCount } from "./uniques/union.ts";
export type {
  Uniques,
  UniquesAddOptions,
  UniquesAddResult,
  UniquesCountOptions,
  UniquesWindow,
} from "./uniques/uniques.ts";
export type { Moment, WindowLength } from "./core/window/windows.ts";
export type { Stream } from "./stream/stream.ts";
export type { StreamOptions, StreamReadOptions } from "./stream/options.ts";
export type { StreamPipeResult, StreamSource } from "./stream/pipe.ts";
export type { StreamEvent } from "./stream/reader.ts";
export type { StreamEndResult, StreamStartResult, StreamWriter, StreamWriteResult } from "./stream/writer.ts";
export type { FlagOf, FlagsChange, FlagsClient } from "./flags/client.ts";
export type {
  FlagCondition,
  FlagDefinition,
  FlagRule,
  FlagScalar,
  FlagServe,
  FlagTest,
  FlagValue,
} from "./flags/definition.ts";
export type { FlagContext, FlagErrorCode, FlagEvaluation, FlagReason } from "./flags/evaluation.ts";
export type { FlagDeleteResult, FlagEntry, FlagNote, Flags, FlagSetResult } from "./flags/flags.ts";
export type { FlagChangeOptions, FlagHistoryOptions, FlagsClientOptions, FlagsOptions } from "./flags/options.ts";
export type { Topic } from "./topic/topic.ts";
export type { TopicEnvelope, TopicMessage } from "./topic/message.ts";
export type { LatestTopic } from "./topic/latest/latest-topic.ts";
export type { TopicChange } from "./topic/latest/follow.ts";
export type {
  TopicDeleteOptions,
  TopicDeleteResult,
  TopicFollowOptions,
  TopicSetOptions,
  TopicSetResult,
} from "./topic/latest/options.ts";
export type { TopicRate } from "./topic/pace.ts";
export type { TopicOnFull, TopicOptions } from "./topic/options.ts";
export type { TopicPublishItem, TopicPublishOptions, TopicPublishResult } from "./topic/publish/options.ts";
export type { TopicFrom, TopicMessagesOptions, TopicRawMessage } from "./topic/read/options.ts";
export type { TopicInfo, TopicPartitionInfo } from "./topic/read/info.ts";
export type { TopicPage, TopicPageOptions } from "./topic/read/page.ts";
export type { TopicStream } from "./topic/read/stream.ts";
export type {
  TopicOrderedContext,
  TopicOrderedHandler,
  TopicOrderedManyHandler,
  TopicTransactionalContext,
  TopicTransactionalHandler,
  TopicTransactionalManyHandler,
} from "./topic/ordered/handling.ts";
export type {
  TopicOrderedManyOptions,
  TopicOrderedOptions,
  TopicTransactionalManyOptions,
  TopicTransactionalOptions,
} from "./topic/ordered/options.ts";
export type { TopicStateChanges } from "./topic/state/changes.ts";
export type {
  TopicState,
  TopicStateEntry,
  TopicStatePage,
  TopicStatePageOptions,
  TopicStatePlace,
} from "./topic/state/state.ts";
export type { TopicOutlet, TopicOutletFate, TopicOutletRow } from "./topic/publish/outlet.ts";
export type {
  TopicBackoff,
  TopicBackoffFunction,
  TopicGap,
  TopicLag,
  TopicPartitionLag,
  TopicSeek,
  TopicSubscribeCommonOptions,
  TopicSubscription,
  TopicSubscriptionKind,
  TopicSubscriptionStats,
  TopicSeekOptions,
} from "./topic/subscription.ts";
export type {
  TopicRetryOptions,
  TopicSharedContext,
  TopicSharedHandler,
  TopicSharedManyContext,
  TopicSharedManyHandler,
} from "./topic/shared/handler.ts";
export type { TopicSharedManyOptions, TopicSharedOptions } from "./topic/shared/options.ts";
export type {
  TopicDeadLetter,
  TopicDeadLetters,
  TopicDeadPage,
  TopicDeadPageOptions,
  TopicRedriveOptions,
} from "./topic/dead/dead-letters.ts";
export type { TopicDeadReason } from "./topic/dead/record.ts";
export type { TopicSubscriptionInfo, TopicSubscriptions } from "./topic/subscriptions/subscriptions.ts";
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
export type { Barrier, BarrierLeaveResult, BarrierPass } from "./barrier/barrier.ts";
export type { BarrierOptions, BarrierWaitOptions } from "./barrier/options.ts";
export type { Latch, LatchCountDownResult, LatchInfo } from "./latch/latch.ts";
export type { LatchOptions, LatchWaitOptions } from "./latch/options.ts";
export type { Limiter, LimiterCostOptions } from "./limiter/limiter.ts";
export type { LimiterOptions } from "./limiter/options.ts";
export type { LimiterDecision, LimiterPolicy } from "./limiter/decision.ts";
export { rateLimitHeaders } from "./limiter/headers.ts";
export type { RateLimitHeaders } from "./limiter/headers.ts";
export { ipKey } from "./limiter/ip-key.ts";
export type { IpKeyOptions } from "./limiter/ip-key.ts";
export type { Counter, CounterIncrementOptions, CounterIncrementResult } from "./counter/counter.ts";
export type {
  BigCounterOptions,
  CounterOptions,
  CounterPeriod,
  CounterWindowOptions,
  ShardedCounterOptions,
} from "./counter/options.ts";
export type { ShardedCounter, ShardedCounterIncrementOptions } from "./counter/sharded.ts";
export type { CounterPeriodSum, CounterWindow, CounterWindowSpan } from "./counter/window.ts";
export type { Records } from "./records/records.ts";
export type {
  RecordCountOptions,
  RecordEntry,
  RecordFindOptions,
  RecordFound,
  RecordIncrementResult,
  RecordNumberField,
  RecordPage,
  RecordPatchResult,
  RecordsChunkOptions,
  RecordSetResult,
  RecordsMigrated,
  RecordUpdateOptions,
  RecordWriteOptions,
} from "./records/types.ts";
export type { RecordsReindexed } from "./records/index/reindex.ts";
export type { RecordIndexValue, RecordRange, RecordWhere } from "./records/index/where.ts";
export type { RecordMergePatch } from "./records/merge-patch.ts";
export type { RecordPatch } from "./records/format.ts";
export type { RecordMigration, RecordsOptions } from "./records/options.ts";
export type { RecordUpdateResult } from "./records/updater.ts";
export type { PresenceLeaveResult, PresenceMembership, PresenceUpdateResult } from "./presence/membership.ts";
export type {
  PresenceJoinOptions,
  PresenceLeaveOptions,
  PresenceMembersOptions,
  PresenceOptions,
  PresenceWatchOptions,
} from "./presence/options.ts";
export type {
  Presence,
  PresenceCount,
  PresenceEvents,
  PresenceJoinResult,
  PresencePage,
  PresenceRefused,
} from "./presence/presence.ts";
export type { PresenceDevice, PresenceEvent, PresenceMember } from "./presence/watch.ts";
export type { ValueOptions, ValueUpdateOptions, ValueWatchOptions } from "./value/options.ts";
export type { ValueEntry } from "./value/store.ts";
export type { Value, ValueCompareAndSetResult, ValueSetResult, ValueStates, ValueUpdateResult } from "./value/value.ts";
export type { ValueState } from "./value/watcher.ts";
export type { GeoPoint } from "./core/earth/point.ts";
export type { GeoFieldRange, GeoFields, GeoFieldValue, GeoWhere } from "./geo/fields.ts";
export type { Geo, GeoAddOptions, GeoMatch, GeoMatches, GeoPage, GeoPlace } from "./geo/geo.ts";
export type { GeoOptions } from "./geo/options.ts";
export type {
  Geofence,
  GeofenceSetResult,
  GeofenceStay,
  GeofenceSubscribeOptions,
  GeofenceSubscription,
  GeofenceTrackOptions,
  GeofenceTrackResult,
  GeofenceTransition,
} from "./geofence/geofence.ts";
export type { GeofenceShape } from "./geofence/fence.ts";
export type { GeofenceOptions } from "./geofence/options.ts";
export type {
  GeoArea,
  GeoBoxOptions,
  GeoCenter,
  GeoFilter,
  GeoNearestOptions,
  GeoPageOptions,
  GeoPolygonOptions,
  GeoRadiusOptions,
  GeoSearchOptions,
} from "./geo/query.ts";
export { createCodec } from "./core/codec/codec.ts";
export type {
  Codec,
  CodecContext,
  CodecOptions,
  CompressOptions,
  Compression,
  EncryptOptions,
  CustomSerializer,
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
export type { Lock, LockResumeResult, LockTryResult } from "./lock/lock.ts";
export type { LockDurability } from "./lock/durability.ts";
export type { ListedLock, Locks, LocksListOptions, LocksPage } from "./lock/locks.ts";
export type { LockForceReleaseResult } from "./lock/takeovers.ts";
export type { HeldLockSet } from "./lock/held-lock-set.ts";
export type { LockSet, LockSetTryResult } from "./lock/lock-set.ts";
export type { LockInfo } from "./lock/store.ts";
export type { LockAcquireOptions, LockOptions } from "./lock/options.ts";
export type { HeldRedlock } from "./redlock/held-redlock.ts";
export type { RedlockAcquireOptions, RedlockLockOptions, RedlockOptions } from "./redlock/options.ts";
export type { Redlock } from "./redlock/redlock.ts";
export type { RedlockLock, RedlockTryResult } from "./redlock/redlock-lock.ts";
export { FinalError } from "./idempotency/final-error.ts";
export type { FinalErrorDetails } from "./idempotency/final-error.ts";
export type {
  Idempotency,
  IdempotencyEntry,
  IdempotencyForgetResult,
  IdempotencyRunResult,
  IdempotencyTryResult,
} from "./idempotency/idempotency.ts";
export type { IdempotencyOptions, IdempotencyRunOptions } from "./idempotency/options.ts";
export type { IdempotencyRun } from "./idempotency/runs.ts";
export type { HeldReadLock, HeldUpgradableLock, HeldWriteLock } from "./rwlock/held.ts";
export type { RwLockAcquireOptions, RwLockOptions } from "./rwlock/options.ts";
export type { RwLock } from "./rwlock/rwlock.ts";
export type { RwLockSide, RwLockTryResult } from "./rwlock/side.ts";
export type { RwLockInfo } from "./rwlock/store.ts";
export type { HeldPermits } from "./semaphore/held-permits.ts";
export type {
  SemaphoreAcquireOptions,
  SemaphoreInfoOptions,
  SemaphoreOptions,
  SemaphoreOrder,
  SemaphoreTryAcquireOptions,
} from "./semaphore/options.ts";
export type { Semaphore, SemaphoreTryResult } from "./semaphore/semaphore.ts";
export type { SemaphoreHolder, SemaphoreInfo } from "./semaphore/store.ts";
export type { Election, ElectionStates } from "./election/election.ts";
export type { ElectionProclaimResult, ElectionResignResult, Leadership } from "./election/leadership.ts";
export type { ElectionState } from "./election/observer.ts";
export type {
  ElectionCampaignOptions,
  ElectionLeadOptions,
  ElectionObserveOptions,
  ElectionOptions,
  ElectionResignOptions,
} from "./election/options.ts";
export type { ElectionLeading, ElectionRunner } from "./election/runner.ts";
export type { ElectionCandidate, ElectionLeader } from "./election/store.ts";
export type { CommandArg } from "./core/command/command.ts";
export type { Transaction, TransactionArg } from "./transaction/attempt.ts";
export type { TransactionBody, TransactionOptions, TransactionResult } from "./transaction/transaction.ts";
export type {
  Leaderboard,
  LeaderboardBestResult,
  LeaderboardIncrementOptions,
  LeaderboardRemoval,
  LeaderboardScored,
  LeaderboardWriteOptions,
} from "./leaderboard/leaderboard.ts";
export type { LeaderboardPageOptions } from "./leaderboard/reads.ts";
export type { LeaderboardClosing } from "./leaderboard/windows/closing.ts";
export type {
  LeaderboardArchiveOptions,
  LeaderboardPeriod,
  LeaderboardWindowOptions,
} from "./leaderboard/windows/options.ts";
export type {
  LeaderboardClosedHandler,
  LeaderboardClosedOptions,
  LeaderboardClosings,
} from "./leaderboard/windows/runner.ts";
export type { LeaderboardWindow, LeaderboardWindowAt } from "./leaderboard/windows/window.ts";
export type { LeaderboardOrder, LeaderboardRange, LeaderboardSubscoreOptions } from "./leaderboard/scores.ts";
export type { LeaderboardEntry, LeaderboardPage, LeaderboardStanding } from "./leaderboard/entries.ts";
export type { LeaderboardOptions, LeaderboardTies } from "./leaderboard/options.ts";
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
export type { QueueAddManyOptions, QueueAddOptions, QueueChildOptions, QueuePriority } from "./queue/add-options.ts";
export type { QueueBackoff, QueueBackoffFunction } from "./queue/backoff.ts";
export type { QueueEventsNoted, QueueOptions } from "./queue/options.ts";
export type { QueueWorkManyOptions, QueueWorkOptions } from "./queue/work-options.ts";
export type { QueueCommit, QueueCommitOptions, QueueCommitResult } from "./queue/commit.ts";
export type { QueueDurability, QueueDurabilityResult } from "./queue/durability.ts";
export type { QueueGroupInfo, QueueGroups, QueueGroupsPage, QueueGroupsPageOptions } from "./queue/groups/groups.ts";
export type { QueueLimits } from "./queue/groups/limits.ts";
export type { QueueGroupOptions, QueueLimitsOptions, QueueRate } from "./queue/groups/options.ts";
export type { QueueJob, QueueWaitOptions } from "./queue/job.ts";
export type { QueueRunCounts, QueueStats } from "./queue/overview/counts.ts";
export type { QueueCounts } from "./queue/overview/job-counts.ts";
export type { QueueTimes } from "./queue/overview/counts.ts";
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
export type { QueueThreadHandler, QueueThreadJob } from "./queue/threads/handler.ts";
export type { QueueDeath, QueueDeathOptions } from "./queue/workers/deaths.ts";
export type { QueueHandling, QueueWithOptions } from "./queue/workers/handling.ts";
export type { QueueLimiter, QueueLimiterOptions, QueueLimiterSource } from "./queue/workers/limiting.ts";
export type { QueueWorkSeveralOptions } from "./queue/workers/several.ts";
export type { QueueAddition, QueueMiddleware } from "./queue/workers/middleware.ts";
export type { QueueManyHandler, QueueManyJob } from "./queue/workers/gatherings.ts";
export type { QueueWorker, QueueWorkerStats } from "./queue/worker.ts";
