/**
 * The PostgreSQL of this machine, or that of a Debian suite unpacked into a folder that git ignores. Nothing is installed.
 *
 * Looked for, in this order: the folder that HOLDFAST_POSTGRES names, Debian's own place, PATH, what was fetched before.
 * It is fetched only where HOLDFAST_POSTGRES is `fetch`, since that takes a minute.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { isRunnable, NotAvailableError, openArchive, run } from "../debian.mjs";

/** Its glibc is older than that of any machine which runs this Node.js, so the libraries beside it work with the machine's. */
const SUITE = "bookworm";
const PACKAGE = "postgresql-15";
const DEBIANS_PLACE = "/usr/lib/postgresql";

/**
 * @param {string} cache folder for the unpacked programs
 * @returns {{ bin: string, libraries: string | undefined }} the folder of `initdb` and `postgres`, and what LD_LIBRARY_PATH they need; throws NotAvailableError
 */
export function ensurePostgres(cache) {
  const found = onThisMachine().find((folder) => existsSync(path.join(folder, "initdb")));
  if (found !== undefined) return { bin: found, libraries: undefined };
  const root = path.join(cache, "postgres");
  if (!existsSync(root)) {
    if (process.env.HOLDFAST_POSTGRES !== "fetch")
      throw new NotAvailableError("there is no initdb on this machine; HOLDFAST_POSTGRES=fetch takes it from Debian");
    fetchInto(root, cache);
  }
  const [triplet] = readdirSync(path.join(root, "usr/lib")).filter((name) => name.endsWith("-linux-gnu"));
  if (triplet === undefined) throw new NotAvailableError("the packages have no libraries in them");
  const version = PACKAGE.replace("postgresql-", "");
  return { bin: path.join(root, DEBIANS_PLACE, version, "bin"), libraries: path.join(root, "usr/lib", triplet) };
}

function onThisMachine() {
  const named = process.env.HOLDFAST_POSTGRES;
  if (named !== undefined && named !== "") return named === "fetch" ? [] : [named];
  const versions = existsSync(DEBIANS_PLACE) ? readdirSync(DEBIANS_PLACE) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a));
  const folders = newestFirst.map((version) => path.join(DEBIANS_PLACE, version, "bin"));
  return [...folders, ...(process.env.PATH ?? "").split(path.delimiter).filter((folder) => folder !== "")];
}

function fetchInto(root, cache) {
  if (!isRunnable("dpkg-deb", ["--version"])) throw new NotAvailableError("dpkg-deb, which unpacks it, is not here");
  const folder = path.join(cache, "apt-postgres");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const apt = openArchive(folder, { type: "deb", suite: SUITE });
  apt("install", "--yes", "--download-only", "--no-install-recommends", PACKAGE);
  // Unpacked beside its place and then renamed, so that a folder that is there is a whole one.
  const unpacked = path.join(folder, "unpacked");
  mkdirSync(unpacked);
  const archives = path.join(folder, "cache", "archives");
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    run("dpkg-deb", ["-x", path.join(archives, file), unpacked], folder);
  }
  renameSync(unpacked, root);
  rmSync(folder, { recursive: true });
}
