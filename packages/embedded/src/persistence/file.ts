/** The files beside a server: the snapshot, replaced in one step, and a lock that keeps a second process from it. */
import { system } from "../base/system.ts";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { lstat, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SnapshotError } from "./snapshot.ts";

/** Readable by its owner only: it holds what the server holds. */
const PRIVATE = 0o600;

/** Rejects where the path is a symbolic link: what it points to is not ours to read, nor the link to replace. */
export async function refuseLink(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSymbolicLink()) throw new SnapshotError("it is a symbolic link");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** Undefined where there is no file yet. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Whoever reads the file, also after a crash, sees the old content or the new one, whole. */
export async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  // Only the holder of the lock writes it, so what is there was left by a killed process. A new file follows no link.
  const temporary = `${path}.tmp`;
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", PRIVATE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The same while the process ends, when nothing can be awaited any more; a write that is under way is let be. */
export function replaceFileSync(path: string, bytes: Buffer): void {
  const temporary = `${path}.exit.tmp`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, "wx", PRIVATE);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

export interface Lock {
  release(): Promise<void>;
  releaseSync(): void;
}

/** Makes the folder and the lock file. Rejects where another server holds it, in this process or in another. */
export async function lock(path: string): Promise<Lock> {
  const file = resolve(`${path}.lock`);
  await mkdir(dirname(file), { recursive: true });
  if (!(await create(file))) {
    const holder = Number(String(await readIfThere(file)));
    if (await isHeld(file, holder)) throw new SnapshotError(`it is in use by process ${holder} (${file})`);
    // Left behind by a process that was killed.
    await rm(file, { force: true });
    if (!(await create(file))) throw new SnapshotError(`it is in use by another process (${file})`);
  }
  return { release: () => rm(file, { force: true }), releaseSync: () => rmSync(file, { force: true }) };
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx", mode: PRIVATE });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Our own number stands for this process where the file is younger, else for one before it: containers use it again. */
async function isHeld(file: string, pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (pid !== process.pid) return isAlive(pid);
  const startedAtMs = system.nowMs() - process.uptime() * 1000;
  return (await stat(file)).mtimeMs >= startedAtMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
