/**
 * The Redis and Valkey of Debian's unstable suite, with the libraries that they were built for, unpacked into a folder
 * that git ignores. Nothing is installed; the files stay until the next `--refresh`.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isRunnable, NotAvailableError, openArchive, run } from "../debian.mjs";

const SUITE = "sid";
export const NEWER = ["valkey-server", "redis-server"];

/**
 * @param {string} cache folder for the packages and the unpacked programs
 * @param {{ refresh: boolean }} options
 * @returns {Record<string, string>} by program, the file to run; throws NotAvailableError
 */
export function ensureNewerServers(cache, { refresh }) {
  const root = path.join(cache, "root");
  if (refresh || !existsSync(root)) fetchInto(root, cache);
  return Object.fromEntries(NEWER.map((name) => [name, path.join(root, name)]));
}

function fetchInto(root, cache) {
  if (!isRunnable("dpkg-deb", ["--version"])) throw new NotAvailableError("dpkg-deb, which unpacks them, is not here");
  const folder = path.join(cache, "apt");
  rmSync(folder, { recursive: true, force: true });
  const apt = openArchive(folder, { type: "deb", suite: SUITE });
  apt("install", "--yes", "--download-only", "--no-install-recommends", ...NEWER);

  // Unpacked beside its place and then renamed, so that a folder that is there is a whole one.
  const unpacked = path.join(folder, "unpacked");
  mkdirSync(unpacked);
  const archives = path.join(folder, "cache", "archives");
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    run("dpkg-deb", ["-x", path.join(archives, file), unpacked], folder);
  }
  writeWrappers(unpacked);
  rmSync(root, { recursive: true, force: true });
  renameSync(unpacked, root);
  rmSync(folder, { recursive: true });
}

/** The programs need a newer libc than the machine has, so each is started by the loader that came with it. */
function writeWrappers(root) {
  const files = readdirSync(path.join(root, "usr"), { recursive: true, encoding: "utf8" });
  const loader = files.find((file) => /\/ld-linux[^/]*\.so\.\d+$/.test(file));
  const libc = files.find((file) => file.endsWith("/libc.so.6"));
  if (loader === undefined || libc === undefined) throw new NotAvailableError("the packages have no glibc in them");
  for (const name of NEWER) {
    const wrapper = [
      "#!/bin/sh",
      'root="$(dirname "$0")"',
      `exec "$root/usr/${loader}" --library-path "$root/usr/${path.dirname(libc)}" --argv0 ${name} "$root/usr/bin/${name}" "$@"`,
    ];
    writeFileSync(path.join(root, name), `${wrapper.join("\n")}\n`);
    chmodSync(path.join(root, name), 0o755);
  }
}
