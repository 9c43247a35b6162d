/** `npm run bench:start`: how long the embedded server takes from nothing to its first answer, in processes of their own. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./start-once.js", import.meta.url));
const STARTS = 15;

const columns: Record<string, number[]> = {};

for (let at = 0; at < STARTS; at++) {
  note("a process that does nothing", timed(["--eval", "0"]).ms);
  const { ms, output } = timed([PROGRAM]);
  const parts = JSON.parse(output) as Record<"import" | "answer" | "listen", number>;
  note("a process with a server", ms);
  note("import of the package", parts.import);
  note("createServer to the first answer, in process", parts.answer);
  note("listen on a port", parts.listen);
}

console.log(`\nstart (Node ${process.version}), milliseconds, ${STARTS} times`);
console.log("".padEnd(48) + ["least", "median", "most"].map((name) => name.padStart(9)).join(""));
for (const [name, values] of Object.entries(columns)) {
  const sorted = values.toSorted((a, b) => a - b);
  const cells = [sorted[0]!, sorted[STARTS >> 1]!, sorted.at(-1)!].map((ms) => ms.toFixed(1).padStart(9));
  console.log(name.padEnd(48) + cells.join(""));
}

function timed(args: string[]): { ms: number; output: string } {
  const began = performance.now();
  const output = execFileSync(process.execPath, args, { encoding: "utf8" });
  return { ms: performance.now() - began, output };
}

function note(name: string, ms: number): void {
  (columns[name] ??= []).push(ms);
}
