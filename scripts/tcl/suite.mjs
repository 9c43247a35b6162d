/**
 * Redis's own tests, fetched from Debian's source package into a folder that git ignores. They are BSD-licensed:
 * run here, never committed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const VERSION = "7.0.15";
const SOURCE = `redis_${VERSION}.orig.tar.gz`;
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const DEB_SRC = `deb-src [signed-by=${KEYRING}] http://deb.debian.org/debian bookworm main\n`;

/** The tests cannot be had or run on this machine; the message says why in one sentence. */
export class NoSuiteError extends Error {}

/** The folder that holds `tests/`, filled when it is not there yet. Throws NoSuiteError. */
export function ensureSuite(cache) {
  if (!isRunnable("tclsh", ["--version"])) throw new NoSuiteError("the tests are in Tcl and tclsh is not on PATH");
  const suite = path.join(cache, `redis-${VERSION}`);
  if (!existsSync(suite)) fetchSuite(cache, suite);
  return suite;
}

function fetchSuite(cache, suite) {
  if (!isRunnable("apt-get", ["--version"]) || !existsSync(KEYRING)) {
    throw new NoSuiteError("the tests come from Debian's source package and apt-get with Debian's keyring is not here");
  }
  const apt = path.join(cache, "apt");
  const options = aptOptions(apt);
  run("apt-get", [...options, "-qq", "update"], cache);
  run("apt-get", [...options, "-qq", "source", "--download-only", "--only-source", "redis"], apt);

  // Unpacked beside its place and then renamed, so that a folder that is there is a whole one.
  const unpacked = path.join(apt, "unpacked");
  mkdirSync(unpacked, { recursive: true });
  run("tar", ["-xzf", path.join(apt, SOURCE), "-C", unpacked, "--strip-components=1", `redis-${VERSION}/tests`], apt);
  renameSync(unpacked, suite);
  rmSync(apt, { recursive: true });
}

/** apt with one source and with lists and caches of its own: the machine's configuration is neither used nor changed. */
function aptOptions(folder) {
  for (const name of ["sources.d", "lists/partial", "cache/archives/partial"]) {
    mkdirSync(path.join(folder, name), { recursive: true });
  }
  const sources = path.join(folder, "sources.list");
  writeFileSync(sources, DEB_SRC);
  const settings = {
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": path.join(folder, "sources.d"),
    "Dir::State::lists": path.join(folder, "lists"),
    "Dir::Cache": path.join(folder, "cache"),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

function isRunnable(program, args) {
  return spawnSync(program, args, { stdio: "ignore" }).error === undefined;
}

function run(program, args, cwd) {
  const { status, stderr } = spawnSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (status === 0) return;
  const said = stderr?.trim().split("\n").at(-1) ?? "it could not be started";
  throw new NoSuiteError(`${program} could not fetch the tests: ${said}`);
}
