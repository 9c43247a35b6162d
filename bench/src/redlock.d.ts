/** What is used of redlock, whose own types its `exports` hide. */
declare module "redlock" {
  import type { Redis } from "ioredis";

  export default class Redlock {
    constructor(clients: readonly Redis[], settings: { readonly retryCount: number });
    acquire(resources: readonly string[], durationMs: number): Promise<{ release(): Promise<unknown> }>;
  }
}
