#!/usr/bin/env node
/**
 * Finds the Redis or Valkey server that tests, benchmarks and the demo with `--server redis` start on
 * their own ports.
 * As a program it also installs one where there is none, and prints its name and version.
 *
 * Looked for, in this order: the file that HOLDFAST_SERVER names, then redis-server and valkey-server on PATH.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

/** The oldest versions with every command that Holdfast uses. */
const OLDEST = { "redis-server": [7, 0], "valkey-server": [7, 2] };

const HOW_TO_GET_ONE =
  "install Redis 7.0 or Valkey 7.2 or newer (https://redis.io/downloads, https://valkey.io/download) so that " +
  "redis-server or valkey-server is on PATH, or name the file in HOLDFAST_SERVER";

/** The first server that is new enough, or undefined. */
export function findServer() {
  return candidates().find(isNewEnough);
}

/** Like findServer, but installs a server where there is none. Throws with one sentence when that cannot be done. */
export function ensureServer() {
  // One that is too old is the user's own, perhaps in service: nothing is installed over it and nothing is stopped.
  if (candidates().length === 0 && !process.env.HOLDFAST_SERVER) installServer();
  const found = findServer();
  if (found !== undefined) return found;
  const [old] = candidates();
  const problem = old === undefined ? "no Redis or Valkey server was found" : `${old.name} ${old.version} is too old`;
  throw new Error(`${problem}: ${HOW_TO_GET_ONE}`);
}

function candidates() {
  const named = process.env.HOLDFAST_SERVER;
  if (named !== undefined && named !== "") return [named].filter(isExecutable).flatMap(identify);
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return Object.keys(OLDEST)
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .filter(isExecutable)
    .flatMap(identify);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What `--version` says: `Redis server v=7.0.15 ...` or `Valkey server v=8.0.1 ...`; nothing for another program. */
export function identify(path) {
  const said = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout ?? "";
  const match = /^(Redis|Valkey) server v=(\d+\.\d+\.\d+)/i.exec(said);
  return match === null ? [] : [{ name: `${match[1].toLowerCase()}-server`, path, version: match[2] }];
}

function isNewEnough({ name, version }) {
  const [major, minor] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST[name];
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function installServer() {
  if (isOnPath("apt-get")) installWithApt();
  else if (isOnPath("brew")) run(["brew", "install", "redis"]);
}

function installWithApt() {
  const root = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (root.length > 0 && !succeeds([...root, "true"])) return;
  // On a fresh machine there are no package lists, and a stale list names files that are gone.
  run([...root, "apt-get", "update", "-qq"]);
  const packageName = succeeds(["apt-cache", "show", "redis-server"]) ? "redis-server" : "valkey-server";
  run([...root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", packageName]);
  stopServiceOf(packageName, root);
}

/** Debian's package starts a server on 6379. Only the program was wanted; which of these ways works differs by machine. */
function stopServiceOf(packageName, root) {
  if (succeeds([...root, "systemctl", "disable", "--now", packageName])) return;
  succeeds([...root, "service", packageName, "stop"]);
}

function isOnPath(program) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .some((folder) => folder !== "" && isExecutable(join(folder, program)));
}

function succeeds([program, ...args]) {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** What an installer says goes to stderr, so that this program's own output stays one line. */
function run([program, ...args]) {
  try {
    execFileSync(program, args, { stdio: ["ignore", 2, 2] });
  } catch {
    // The search that follows says whether there is a server now; the installer has said what went wrong.
  }
}

function main() {
  try {
    const server = ensureServer();
    console.log(`${server.name} ${server.version}`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) main();
