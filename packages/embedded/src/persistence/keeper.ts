/** Keeps a server's keys in a file: loaded at the start, written while they change and at the end. */
import type { EmbeddedServer } from "../server.ts";
import { lock, readIfThere, replaceFile } from "./file.ts";
import { loadSnapshot, SnapshotError, takeSnapshot } from "./snapshot.ts";

export interface SnapshotOptions {
  readonly path: string;
  /** How often changed keys are written, in milliseconds: what a crash can lose. @default 1000 */
  readonly intervalMs?: number | undefined;
}

export interface SnapshotKeeper {
  /** Writes now what has changed. */
  save(): Promise<void>;
  /** Writes for the last time and gives the file free. Idempotent. */
  close(): Promise<void>;
}

/**
 * Fills the server from the file, where there is one, and keeps the file up to date. One process at a time.
 * Rejects with SnapshotError where the file is in use, damaged, or not a snapshot; it is left as it was.
 */
export async function keepSnapshot(server: EmbeddedServer, options: SnapshotOptions): Promise<SnapshotKeeper> {
  const { path, intervalMs = 1000 } = options;
  try {
    const unlock = await lock(path);
    try {
      const bytes = await readIfThere(path);
      if (bytes !== undefined) loadSnapshot(server.engine, bytes);
    } catch (error) {
      await unlock();
      throw error;
    }
    return new Keeper(server, path, intervalMs, unlock);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SnapshotError(`the snapshot ${path} cannot be used: ${reason}`, { cause: error });
  }
}

class Keeper implements SnapshotKeeper {
  private readonly server: EmbeddedServer;
  private readonly path: string;
  private readonly unlock: () => Promise<void>;
  private readonly timer: NodeJS.Timeout;
  /** The server's count of changes when the file was written last. */
  private savedChanges: number;
  private saving: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  private warned = false;

  constructor(server: EmbeddedServer, path: string, intervalMs: number, unlock: () => Promise<void>) {
    this.server = server;
    this.path = path;
    this.unlock = unlock;
    this.savedChanges = server.engine.stats.changes;
    this.timer = setInterval(() => this.saveInTime(), intervalMs).unref();
  }

  /** What a busy script has half done is left until the next time. */
  private saveInTime(): void {
    if (!this.server.engine.busy.active) void this.save().catch((error: unknown) => this.warn(error));
  }

  /** One after the other, so that an older content never replaces a newer one. */
  save(): Promise<void> {
    this.saving = this.saving.catch(() => undefined).then(() => this.write());
    return this.saving;
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async write(): Promise<void> {
    const { changes } = this.server.engine.stats;
    if (changes === this.savedChanges) return;
    await replaceFile(this.path, takeSnapshot(this.server.engine));
    this.savedChanges = changes;
  }

  private async end(): Promise<void> {
    clearInterval(this.timer);
    try {
      await this.save();
    } finally {
      await this.unlock();
    }
  }

  /** It is tried again at the next change of the clock; said once. */
  private warn(error: unknown): void {
    if (this.warned) return;
    this.warned = true;
    process.emitWarning(`the snapshot ${this.path} could not be written: ${String(error)}`, {
      code: "HOLDFAST_SNAPSHOT",
    });
  }
}
