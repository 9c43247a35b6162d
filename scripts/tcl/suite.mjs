/**
 * Redis's own tests, fetched from Debian's source package into a folder that git ignores. They are BSD-licensed:
 * run here, never committed.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { isRunnable, NotAvailableError, openArchive, run } from "../debian.mjs";

const VERSION = "7.0.15";
const SOURCE = `redis_${VERSION}.orig.tar.gz`;

/** The folder that holds `tests/`, filled when it is not there yet. Throws NotAvailableError. */
export function ensureSuite(cache) {
  if (!isRunnable("tclsh", ["--version"])) throw new NotAvailableError("the tests are in Tcl and tclsh is not on PATH");
  const suite = path.join(cache, `redis-${VERSION}`);
  if (!existsSync(suite)) fetchSuite(cache, suite);
  return suite;
}

function fetchSuite(cache, suite) {
  const folder = path.join(cache, "apt");
  const apt = openArchive(folder, { type: "deb-src", suite: "bookworm" });
  apt("source", "--download-only", "--only-source", "redis");

  // Unpacked beside its place and then renamed, so that a folder that is there is a whole one.
  const unpacked = path.join(folder, "unpacked");
  mkdirSync(unpacked, { recursive: true });
  run(
    "tar",
    ["-xzf", path.join(folder, SOURCE), "-C", unpacked, "--strip-components=1", `redis-${VERSION}/tests`],
    folder,
  );
  renameSync(unpacked, suite);
  rmSync(folder, { recursive: true });
}
