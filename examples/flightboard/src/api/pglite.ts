/**
 * PGlite inside this process. Making an empty database takes it many times as long as reading one, so that is done once for each of
 * its versions, and kept beside the package.
 */
import { PGlite } from "@electric-sql/pglite";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const unpack = promisify(gunzip);

export async function openPGlite(kept: string = keptAt()): Promise<PGlite> {
  const bytes = await readFile(kept).catch(() => undefined);
  if (bytes === undefined) return make(kept);
  try {
    // Unpacked here: what PGlite cannot unpack ends the process.
    return await PGlite.create({ loadDataDir: new Blob([await unpack(bytes)]) });
  } catch {
    // It is damaged.
    await rm(kept, { force: true });
    return make(kept);
  }
}

/** The same whether this is the source or what was built from it. */
function keptAt(): string {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const { version } = JSON.parse(readFileSync(join(dirname(entry), "../package.json"), "utf8")) as { version: string };
  return fileURLToPath(new URL(`../../.cache/pglite-${version}.tar.gz`, import.meta.url));
}

/** Where it cannot be kept, the next one is made too. */
async function make(kept: string): Promise<PGlite> {
  const db = await PGlite.create();
  const empty = await db.dumpDataDir("gzip");
  const half = join(dirname(kept), `.${process.pid}`);
  try {
    await mkdir(dirname(kept), { recursive: true });
    await writeFile(half, Buffer.from(await empty.arrayBuffer()));
    await rename(half, kept);
  } catch {
    await rm(half, { force: true }).catch(() => undefined);
  }
  return db;
}
