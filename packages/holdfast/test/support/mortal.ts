/** Processes that end by SIGKILL: a program of a test, bundled with the library's sources, and forked as often as is asked. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

export class Mortals implements AsyncDisposable {
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async of(source: URL): Promise<Mortals> {
    // Below the workspace, so that what it imports is found.
    const mortals = new Mortals(mkdtempSync(join(ROOT, "node_modules/.mortal-")));
    const bundle = await rolldown({
      input: fileURLToPath(source),
      platform: "node",
      external: ["@redis/client", "@msgpack/msgpack", "pg", "ws"],
      // Node 20 has no `using`.
      transform: { target: "node20" },
      resolve: {
        alias: {
          "holdfast-embedded": join(ROOT, "packages/embedded/src/index.ts"),
          holdfast: join(ROOT, "packages/holdfast/src/index.ts"),
        },
      },
    });
    await bundle.write({ file: mortals.#program, format: "esm", codeSplitting: false });
    await bundle.close();
    return mortals;
  }

  start(...args: readonly string[]): ChildProcess {
    const child = fork(this.#program, args, { stdio: "inherit", execArgv: [...process.execArgv, "--expose-gc"] });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all([...this.#children].map((child) => once(child, "exit")));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #program(): string {
    return join(this.#folder, "mortal.mjs");
  }
}

/** By what it ended. */
export async function endOf(child: ChildProcess): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode ?? child.exitCode;
}
