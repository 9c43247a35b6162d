/** For moving in: what brings the jobs of another library here. */
export { migrateFromBullMQ } from "./bullmq.ts";
export type {
  BullMQLeft,
  BullMQMapped,
  BullMQMigrationOptions,
  BullMQMigrationResult,
  BullMQMigrationSource,
} from "./bullmq.ts";
export type { BullMQSchedule } from "./schedules.ts";
export type { BullMQJob } from "./translate.ts";
