/**
 * Packages of a Debian suite, fetched into a folder. apt gets sources, lists and caches of its own there, so nothing is
 * installed and the machine's configuration is neither used nor changed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

const MIRROR = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const TIMEOUT_MS = 180_000;

/** What was wanted cannot be had on this machine; the message says why in one sentence. */
export class NotAvailableError extends Error {}

/**
 * Reads the lists of one suite and returns a function that runs apt-get on them.
 * @param {string} folder that this archive has for itself
 * @param {{ type: "deb" | "deb-src", suite: string }} source
 * @returns {(...args: string[]) => void} throws NotAvailableError
 */
export function openArchive(folder, { type, suite }) {
  if (!isRunnable("apt-get", ["--version"]) || !existsSync(KEYRING)) {
    throw new NotAvailableError("it comes from Debian's packages, and apt-get with Debian's keyring is not here");
  }
  for (const name of ["sources.d", "state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(path.join(folder, name), { recursive: true });
  }
  writeFileSync(path.join(folder, "sources.list"), `${type} [signed-by=${KEYRING}] ${MIRROR} ${suite} main\n`);
  // Nothing counts as installed, so every library that a package needs is fetched with it.
  writeFileSync(path.join(folder, "status"), "");
  const options = aptOptions(folder);
  const apt = (...args) => run("apt-get", [...options, ...args], folder);
  apt("update");
  return apt;
}

function aptOptions(folder) {
  const settings = {
    "Dir::Etc::sourcelist": path.join(folder, "sources.list"),
    "Dir::Etc::sourceparts": path.join(folder, "sources.d"),
    "Dir::Etc::preferencesparts": path.join(folder, "sources.d"),
    "Dir::State": path.join(folder, "state"),
    "Dir::State::status": path.join(folder, "status"),
    "Dir::Cache": path.join(folder, "cache"),
    "Acquire::http::Timeout": "15",
    // Without it, root's apt fetches as a user who may not enter the folder.
    ...(process.getuid?.() === 0 ? { "APT::Sandbox::User": "root" } : {}),
  };
  return ["-qq", ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}

export function isRunnable(program, args) {
  return spawnSync(program, args, { stdio: "ignore" }).error === undefined;
}

/** Throws NotAvailableError with the last thing that the program said. */
export function run(program, args, cwd) {
  const result = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: TIMEOUT_MS,
  });
  if (result.status === 0) return;
  const said = result.stderr?.trim().split("\n").at(-1);
  throw new NotAvailableError(`${program} failed: ${said || result.error?.message || `exit code ${result.status}`}`);
}
