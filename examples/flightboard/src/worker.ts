/**
 * Keeps boards, counters, records, tags and places up to date from the flight log, and makes a summary every few seconds. Two of these run.
 * A lock lets one of them take batches, so that a takeover can be watched; the queue alone would do, as it gives one batch at a time to
 * whichever worker is free. Summaries are for both.
 */
import { once } from "node:events";
import { readAirports } from "./data/airports.ts";
import { FlightLog } from "./ingest/flight-log.ts";
import { keepRunning, lockOwner, log, runService } from "./service.ts";
import { WORKER_LOCK } from "./state/state.ts";
import { Summaries } from "./state/summary.ts";
import { applyBatch } from "./worker/apply.ts";

const WORKER_TTL = "2s";

await runService("worker", async (service) => {
  const { hf, state, options, signal } = service;
  const places = await readAirports();
  const work = hf.lock(WORKER_LOCK, { ttl: WORKER_TTL, maxHold: false, owner: lockOwner(options) });
  const flightLog = new FlightLog(hf);
  const summaries = new Summaries(hf, state);
  await Promise.all([
    keepRunning(service, async () => {
      await using held = await work.acquire({ wait: "1h", signal });
      const over = AbortSignal.any([held.signal, signal]);
      await using _worker = await flightLog.work((batch) => applyBatch(state, places, batch));
      log(options, `works from flight ${await flightLog.applied()} on`);
      if (!over.aborted) await once(over, "abort");
    }),
    keepRunning(service, async () => {
      await using _worker = await summaries.work(options.name);
      if (!signal.aborted) await once(signal, "abort");
    }),
  ]);
});
