/** Runs one unit of the suite against a server that is up, and reads what the harness says. */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";

/** What an external server of another make cannot offer, and what takes minutes. The same for the real server. */
const TAGS = "-slow -needs:repl -needs:debug -needs:save -needs:pfdebug -needs:config-maxmemory";

/** Seconds without any progress after which the harness gives up on a unit; one HyperLogLog test alone takes 45. */
const STALLED_S = 180;
/** The longest that a whole unit may take. */
const UNIT_LIMIT_MS = 10 * 60_000;

/** @typedef {{ test: string, message: string, details: string }} Failure `message` is the first line of `details` */

/**
 * @param {{ suite: string, unit: string, port: number, skip?: string[] }} run `unit` as the harness names it
 * @returns {Promise<{ ok: string[], failed: Failure[], stoppedBy: string | undefined }>}
 *   names of passed tests; failures; what ended the unit before its end. A name may stand more than once in either
 */
export async function runUnit({ suite, unit, port, skip = [] }) {
  const args = ["tests/test_helper.tcl", "--host", "127.0.0.1", "--port", String(port), "--single", unit];
  // --durable: an error reply that a test does not expect fails that test and not all that follow it.
  args.push("--tags", TAGS, "--ignore-encoding", "--ignore-digest", "--durable", "--timeout", String(STALLED_S));
  // The harness's own port for its clients; it looks upwards from here for one that is free.
  args.push("--baseport", String(randomInt(21_000, 32_000)));
  for (const test of skip) args.push("--skiptest", test);
  return readLog(await outputOf("tclsh", args, suite));
}

/** What the program writes. The harness's clients end by themselves once it is gone. */
async function outputOf(program, args, cwd) {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const limit = setTimeout(() => child.kill("SIGKILL"), UNIT_LIMIT_MS);
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  await once(child, "close");
  clearTimeout(limit);
  return stripVTControlCharacters(Buffer.concat(chunks).toString());
}

function readLog(log) {
  const ok = [];
  const failed = [];
  let stoppedBy = "the harness was stopped";
  // A message goes on over lines until the next status; the summary at the end repeats what has been read.
  for (const [, status, text] of log.matchAll(/^\[([^\]]+)\]: (.*(?:\n(?!\[|\n|\*\*\*).*)*)/gm)) {
    if (status === "ok") ok.push(text.replace(/ \(\d+ ms\)[^]*$/, ""));
    else if (status === "err") failed.push(failureOf(text));
    else if (status === "exception" || status === "timeout") stoppedBy = firstLine(text);
  }
  return { ok, failed, stoppedBy: /^\[1\/1 done\]/m.test(log) ? undefined : stoppedBy };
}

function failureOf(text) {
  const [heading, message = "", whole = ""] = text.split("\n", 3);
  return {
    test: heading.replace(/ in tests\/\S+$/, ""),
    // An error reply that was not expected stands there twice: without its first ten characters, then whole.
    message: firstLine(whole.endsWith(message) ? whole : message),
    details: text,
  };
}

/** Without the harness's context, which names folders of this machine. */
function firstLine(text) {
  return text.split("\n", 1)[0].replace(/ \(context: .*$/, "");
}
