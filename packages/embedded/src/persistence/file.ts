/** The files beside a server: the snapshot, replaced in one step, and a lock that keeps a second process from it. */
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { SnapshotError } from "./snapshot.ts";

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
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, "w");
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

/** Makes the folder and the lock file. Returns the function that gives the lock back. */
export async function lock(path: string): Promise<() => Promise<void>> {
  const file = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true });
  if (!(await create(file))) {
    const holder = Number(String(await readIfThere(file)));
    if (isAlive(holder)) throw new SnapshotError(`it is in use by process ${holder} (${file})`);
    // Left behind by a process that was killed.
    await rm(file, { force: true });
    if (!(await create(file))) throw new SnapshotError(`it is in use by another process (${file})`);
  }
  return () => rm(file, { force: true });
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Our own number stands for a process before us: containers give the same one again. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
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
