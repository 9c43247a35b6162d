/** `holdfast/outbox`: jobs that belong to a transaction of PostgreSQL, on their way in (outbox) and out (inbox). */
export { SqlInbox, sqlInbox } from "./inbox.ts";
export type { InboxOnceOptions, InboxOnceResult, InboxOptions } from "./inbox.ts";
export { SqlOutbox, sqlOutbox } from "./outbox.ts";
export type { OutboxAddOptions, OutboxAddResult, OutboxInfo, OutboxOptions } from "./outbox.ts";
export type { OutboxQueue, OutboxRelay, OutboxRelayOptions, OutboxRelayStats } from "./relay.ts";
export type { SqlClient, SqlDatabase, SqlPool, SqlPoolClient, SqlSource } from "./sql.ts";
