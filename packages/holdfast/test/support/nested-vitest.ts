/** A test run inside a test, to see from outside what it prints and what it leaves behind. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface NestedRun extends Disposable {
  readonly dir: string;
  readonly child: ChildProcess;
}

const BIN = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

/** Runs test files, given by name and text, in a folder of their own. `describe`, `test` and `expect` are globals. */
export function runVitest(files: Readonly<Record<string, string>>, ...args: readonly string[]): NestedRun {
  const dir = mkdtempSync(join(tmpdir(), "holdfast-nested-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const command = [BIN, "run", "--root", dir, "--globals", "--pool", "threads", ...args];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"], cwd: dir });
  return {
    dir,
    child,
    [Symbol.dispose]() {
      child.kill("SIGKILL");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
