/** `holdfast/outbox`: jobs that belong to a transaction of PostgreSQL, on their way in (outbox) and out (inbox). */
export { SqlInbox, sqlInbox } from "./inbox.ts";
export type { InboxOnceOptions, InboxOnceResult, InboxOptions } from "./inbox.ts";
export { SqlOutbox, sqlOutbox } from "./outbox.ts";
export type {
  OutboxAddOptions,
  OutboxAddResult,
  OutboxInfo,
  OutboxOptions,
  OutboxPublishItem,
  OutboxPublishOptions,
  OutboxTarget,
} from "./outbox.ts";
export type { OutboxRelay } from "./relay.ts";
export type {
  OutboxOutlet,
  OutboxQueue,
  OutboxRelayOptions,
  OutboxRelayStats,
  OutboxTopic,
  OutletRow,
} from "./relay-options.ts";
export type { SqlClient, SqlDatabase, SqlPool, SqlPoolClient, SqlSource } from "./sql.ts";
