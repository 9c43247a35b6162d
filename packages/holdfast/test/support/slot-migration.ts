/**
 * The steps of a live slot migration, one at a time, so that a test can look at each state between them.
 * https://redis.io/docs/latest/commands/cluster-setslot/
 */
import type { ServerProcess } from "./server-process.ts";

export interface MigrationEnd {
  readonly server: ServerProcess;
  readonly id: string;
}

const KEYS_AT_ONCE = 100;
const MOVE_TIMEOUT_MS = 5_000;

export class SlotMigration {
  readonly slot: number;
  readonly source: MigrationEnd;
  readonly target: MigrationEnd;
  readonly #otherPrimaries: readonly ServerProcess[];

  constructor(slot: number, source: MigrationEnd, target: MigrationEnd, otherPrimaries: readonly ServerProcess[]) {
    this.slot = slot;
    this.source = source;
    this.target = target;
    this.#otherPrimaries = otherPrimaries;
  }

  /** From now on the source answers ASK for keys that it has not, and TRYAGAIN for several of which some have moved. */
  async begin(): Promise<void> {
    await this.target.server.command("CLUSTER", "SETSLOT", this.slot, "IMPORTING", this.source.id);
    await this.source.server.command("CLUSTER", "SETSLOT", this.slot, "MIGRATING", this.target.id);
  }

  /** Moves these keys, which must be there, or without an argument all keys of the slot. */
  async moveKeys(keys?: readonly (string | Buffer)[]): Promise<void> {
    if (keys !== undefined) return this.#move(keys);
    for (let rest = await this.#someKeys(); rest.length > 0; rest = await this.#someKeys()) await this.#move(rest);
  }

  /** The slot is the target's; the source answers MOVED. The replicas learn it by gossip a moment later. */
  async finish(): Promise<void> {
    for (const server of [this.target.server, this.source.server, ...this.#otherPrimaries]) {
      await server.command("CLUSTER", "SETSLOT", this.slot, "NODE", this.target.id);
    }
  }

  async #someKeys(): Promise<Buffer[]> {
    using client = await this.source.server.connect();
    return (await client.bytes("CLUSTER", "GETKEYSINSLOT", this.slot, KEYS_AT_ONCE)) as Buffer[];
  }

  async #move(keys: readonly (string | Buffer)[]): Promise<void> {
    const { port } = this.target.server;
    await this.source.server.command("MIGRATE", "127.0.0.1", port, "", 0, MOVE_TIMEOUT_MS, "KEYS", ...keys);
  }
}
