/** The built demo as a child process, as `npm run demo` starts it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Summary } from "../launcher/once.ts";

const WORKSPACE = fileURLToPath(new URL("../../../../", import.meta.url));
const MAIN = join(WORKSPACE, "examples/flightboard/dist/main.js");

const SOURCES = ["packages/holdfast", "packages/embedded", "examples/flightboard"];
/** What a build writes last. */
const BUILT = ["packages/embedded/dist/cjs/package.json", "packages/holdfast/dist/cjs/package.json"];

/** Compiles the demo and bundles the library that it imports, where a source is newer than what was built before. */
export async function build(): Promise<void> {
  if (isBuilt()) return;
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  await run(compiler, "-b", "examples/flightboard");
  await run("scripts/bundle.mjs");
}

function isBuilt(): boolean {
  const built = [MAIN, ...BUILT.map((file) => join(WORKSPACE, file))];
  if (!built.every((file) => existsSync(file))) return false;
  // The compiler leaves a file alone that would be the same, so the bundles say when the build was.
  const builtAt = Math.min(...built.slice(1).map(changedAt));
  const sources = SOURCES.flatMap((folder) => {
    const within = join(WORKSPACE, folder, "src");
    return readdirSync(within, { recursive: true }).map((file) => join(within, String(file)));
  });
  return sources.every((file) => changedAt(file) < builtAt);
}

function changedAt(file: string): number {
  return statSync(file).mtimeMs;
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { cwd: WORKSPACE });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${said}`);
}

export interface Run {
  readonly output: string;
  readonly summary: Summary;
}

/**
 * Runs `--once` to its end, by default on the embedded server and without a PATH, on which no other server can be found.
 * @throws with all that it printed when it did not end well
 */
export async function replayAndCheck(...args: readonly string[]): Promise<Run> {
  const { PATH, ...env } = ownServer();
  const namesServer = args.some((arg) => /^--(server|url)/.test(arg));
  const child = spawn(process.execPath, [MAIN, "--once", ...args], { env: namesServer ? { ...env, PATH } : env });
  let output = "";
  let lastLine = "";
  child.stderr.on("data", (chunk) => (output += String(chunk)));
  createInterface(child.stdout).on("line", (line) => {
    output += `${line}\n`;
    lastLine = line;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`the demo ended with ${code}:\n${output}`);
  return { output, summary: JSON.parse(lastLine) as Summary };
}

export interface RunningDemo extends AsyncDisposable {
  readonly url: string;
}

/** Starts the demo with its page on a free port; resolves when the page is served. */
export async function startDemo(...args: readonly string[]): Promise<RunningDemo> {
  const child = spawn(process.execPath, [MAIN, "--port", "0", ...args], {
    env: ownServer(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "close");
  const line = new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve));
  const said = await Promise.race([line, exit.then(() => "")]);
  const url = /http:\/\/\S+/.exec(said)?.[0];
  if (url === undefined) throw new Error("the demo ended before it named its page");
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exit;
    },
  };
}

/** Whatever server the environment names is left alone: these runs strike theirs. */
function ownServer(): NodeJS.ProcessEnv {
  const { HOLDFAST_URL: _holdfast, REDIS_URL: _redis, ...env } = process.env;
  return env;
}
