/**
 * The launcher: is the server or starts one where none is named, starts the services and starts them again when they die.
 * Without `--once` it runs until Ctrl-C and leaves nothing behind.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect } from "holdfast";
import { looksFile } from "./api/looks.ts";
import { startEmbeddedServer } from "./launcher/embedded-server.ts";
import { Fleet } from "./launcher/fleet.ts";
import { freePort } from "./launcher/free-port.ts";
import { replayOnce } from "./launcher/once.ts";
import type { OwnServer } from "./launcher/own-server.ts";
import { startPrivateServer } from "./launcher/private-server.ts";
import { printOutcome } from "./launcher/report.ts";
import { Visitor } from "./launcher/visitor.ts";
import { type Options, parseOptions } from "./options.ts";

const given = parseOptions();
const report = (text: string): void => console.error(`launcher: ${text}`);
const start = given.server === "embedded" ? startEmbeddedServer : startPrivateServer;
const server = given.url === undefined ? await start(report) : undefined;
const options = {
  ...given,
  url: given.url ?? server?.url ?? "",
  port: await freePort(given.once ? 0 : given.port),
  prefix: `flightboard-${randomBytes(4).toString("hex")}`,
};
const fleet = new Fleet(options, server, report);
const interruption = new AbortController();
const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]).then(() => interruption.abort());
try {
  process.exitCode = options.once ? await runOnce() : await runOpenEnded();
} finally {
  await fleet.stop();
  await cleanUp(options, server);
}
// What was interrupted (a replay, a check) still waits for processes that are gone.
if (interruption.signal.aborted) process.exit();

async function runOnce(): Promise<number> {
  const outcome = await Promise.race([replayOnce(options, fleet), stopped]);
  if (outcome === undefined) return 1;
  await fleet.stop();
  printOutcome(outcome, server?.program ?? options.url);
  return outcome.summary.ok ? 0 : 1;
}

async function runOpenEnded(): Promise<number> {
  const page = `http://127.0.0.1:${options.port}`;
  fleet.start("worker", "api", "ingest");
  const served = await Promise.race([new Visitor(page).ask("/map.json"), stopped]);
  if (served === undefined) return 1;
  console.log(`Flightboard: ${page}  (on ${server?.program ?? options.url}; Ctrl-C ends it)`);
  await stopped;
  return 0;
}

/** A server of the run's own goes with its data; on somebody else's the keys of this run are removed. */
async function cleanUp({ url, prefix }: Options & { url: string }, own: OwnServer | undefined): Promise<void> {
  await rm(looksFile({ prefix }), { force: true });
  if (own !== undefined) return own.stop();
  await using hf = await connect(url, { prefix });
  for await (const keys of hf.scan()) {
    await Promise.all(
      keys.map((key) => hf.driver.send(["UNLINK", key], { op: "flightboard.cleanUp", class: "idempotent" }, key)),
    );
  }
}
