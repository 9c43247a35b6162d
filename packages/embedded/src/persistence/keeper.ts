/** Keeps a server's keys in a file: loaded at the start, written while they change, at the end, and when the process exits. */
import { system } from "../base/system.ts";
import type { Engine } from "../engine/engine.ts";
import { type Lock, lock, readIfThere, refuseLink, replaceFile, replaceFileSync } from "./file.ts";
import { loadSnapshot, SnapshotError, takeSnapshot } from "./snapshot.ts";

export interface SnapshotOptions {
  readonly path: string;
  /** How often changed keys are written, in milliseconds: what a crash or a signal can lose. @default 1000 */
  readonly intervalMs?: number | undefined;
}

/** A server, as far as its keys are concerned. `restart` replaces its engine. */
export interface SnapshotSource {
  readonly engine: Engine;
}

export interface SnapshotKeeper {
  /** Writes now what has changed. Rejects where it cannot be written, and with SnapshotError while a script is busy. */
  save(): Promise<void>;
  /** As `save`, for the last time, and frees the file in any case. Idempotent. */
  close(): Promise<void>;
}

/**
 * Fills the server from the file, where there is one, and keeps the file up to date. One process at a time.
 * Rejects with SnapshotError where the file is in use, damaged, or not a snapshot; it is left as it was.
 */
export async function keepSnapshot(server: SnapshotSource, options: SnapshotOptions): Promise<SnapshotKeeper> {
  const { path, intervalMs = 1000 } = options;
  if (path === "") throw new SnapshotError("path is empty: it must name the file of the snapshot");
  try {
    const held = await lock(path);
    try {
      await refuseLink(path);
      const bytes = await readIfThere(path);
      if (bytes !== undefined) loadSnapshot(server.engine, bytes);
    } catch (error) {
      await held.release();
      throw error;
    }
    return new Keeper(server, path, intervalMs, held);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SnapshotError(`the snapshot ${path} cannot be used: ${reason}`, { cause: error });
  }
}

/** Those which are open when the process exits: a program that ends without closing its server keeps its state too. */
const open = new Set<Keeper>();

function saveAtExit(): void {
  for (const keeper of open) keeper.endSync();
}

class Keeper implements SnapshotKeeper {
  readonly #server: SnapshotSource;
  readonly #path: string;
  readonly #lock: Lock;
  readonly #timer: NodeJS.Timeout;
  /** The server's count of changes when the file was written last; another engine is a server that was restarted. */
  #saved: { readonly engine: Engine; readonly changes: number };
  #saving: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #warned = false;

  constructor(server: SnapshotSource, path: string, intervalMs: number, held: Lock) {
    this.#server = server;
    this.#path = path;
    this.#lock = held;
    this.#saved = this.#present();
    this.#timer = system.setInterval(() => this.#saveInTime(), intervalMs).unref();
    if (open.size === 0) process.on("exit", saveAtExit);
    open.add(this);
  }

  /** What a busy script has half done is left until the next time. */
  #saveInTime(): void {
    const { busy } = this.#server.engine;
    if (busy.active) return;
    void this.save().catch((error: unknown) => {
      if (!busy.active) this.#warn(error);
    });
  }

  /** One after the other, so that an older content never replaces a newer one. */
  save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#write());
    return this.#saving;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #write(): Promise<void> {
    const { engine, changes } = this.#present();
    if (!this.#hasChanged()) return;
    if (engine.busy.active) throw new SnapshotError("a script has run for long and has half done its work");
    await replaceFile(this.#path, takeSnapshot(engine));
    this.#saved = { engine, changes };
  }

  #present(): { readonly engine: Engine; readonly changes: number } {
    const { engine } = this.#server;
    return { engine, changes: engine.stats.changes };
  }

  #hasChanged(): boolean {
    const { engine, changes } = this.#present();
    return engine !== this.#saved.engine || changes !== this.#saved.changes;
  }

  async #end(): Promise<void> {
    system.clearInterval(this.#timer);
    try {
      await this.save();
    } finally {
      open.delete(this);
      if (open.size === 0) process.off("exit", saveAtExit);
      await this.#lock.release();
    }
  }

  /** The process exits: what a busy script has half done is not written, nor what came before it since the last time. */
  endSync(): void {
    const { engine } = this.#server;
    try {
      if (this.#hasChanged() && !engine.busy.active) replaceFileSync(this.#path, takeSnapshot(engine));
    } catch (error) {
      process.stderr.write(`the snapshot ${this.#path} could not be written: ${String(error)}\n`);
    } finally {
      this.#lock.releaseSync();
    }
  }

  /** It is tried again at the next change of the clock; said once. */
  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(`the snapshot ${this.#path} could not be written: ${String(error)}`, {
      code: "HOLDFAST_SNAPSHOT",
    });
  }
}
