/** The queue between ingest and worker, and the schedule: what waits, what runs where, what comes next. */
import { byId, count, h, short } from "./dom.ts";
import type { Jobs, Schedule, Snapshot } from "./types.ts";

/** Batches that may wait; as in `flight-log.ts`. */
const MAX_BATCHES = 5;
let before: { readonly applied: number; readonly at: number } | undefined;
let perSecond = 0;

export function showJobs({ jobs, applied }: Snapshot): void {
  measure(applied);
  byId("jobs").replaceChildren(
    h(
      "div",
      { class: "lane", role: "img", "aria-label": `${jobs.waiting} batches wait of at most ${MAX_BATCHES}` },
      ...slots(jobs),
    ),
    figures({
      waiting: count(jobs.waiting),
      "flights / s": short(perSecond),
      "batches done": short(jobs.completed),
      "wait, p95": milliseconds(jobs.waitMs),
      "run, p95": milliseconds(jobs.runMs),
      "failed + recovered": `${count(jobs.failed)} + ${count(jobs.recovered)}`,
    }),
    h("ul", { class: "workers" }, ...jobs.workers.map(workerRow)),
  );
  byId("schedule").replaceChildren(...scheduleRows(jobs.schedule));
}

function measure(applied: number): void {
  const now = performance.now();
  if (before !== undefined && now > before.at)
    perSecond = Math.max(0, (applied - before.applied) / ((now - before.at) / 1_000));
  before = { applied, at: now };
}

/** A slot for each batch that may wait, and one for the batch that runs. */
function slots({ waiting, active }: Jobs): HTMLElement[] {
  const waits = Array.from({ length: MAX_BATCHES }, (_, at) =>
    h("i", { class: at >= MAX_BATCHES - waiting ? "slot full" : "slot" }),
  );
  return [...waits, h("i", { class: active > 0 ? "slot running" : "slot run" })];
}

function figures(rows: Readonly<Record<string, string>>): HTMLElement {
  return h(
    "dl",
    { class: "figures" },
    ...Object.entries(rows).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function workerRow({ name, batches }: Jobs["workers"][number]): HTMLElement {
  const runs = batches.length === 0 ? "waits for a batch" : `flights ${batches.join(", ")}`;
  return h(
    "li",
    { class: batches.length === 0 ? "" : "busy", "data-worker": name },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", { class: "process" }, name),
    h("span", { class: "state" }, runs),
  );
}

function scheduleRows(schedule: Schedule | undefined): HTMLElement[] {
  if (schedule === undefined) return [h("p", { class: "quiet-line" }, "No worker has set it yet.")];
  const { nextInMs, runs, missed, last } = schedule;
  const next = nextInMs.map((ms) => `${Math.max(0, Math.round(ms / 1_000))} s`).join(", ");
  const found =
    last === undefined
      ? "nothing yet"
      : `${count(last.flights)} flights, ${(100 * last.late).toFixed(1)}% late, busiest ${last.busiest ?? "–"}`;
  return [
    h("p", { class: "found" }, found),
    h(
      "dl",
      { class: "plan" },
      h("dt", {}, "made"),
      h("dd", {}, last === undefined ? "–" : `${seconds(last.agoMs)} ago by ${last.by}`),
      h("dt", {}, "next in"),
      h("dd", {}, next),
      h("dt", {}, "runs"),
      h("dd", {}, missed === 0 ? count(runs) : `${count(runs)}, ${count(missed)} missed`),
    ),
  ];
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1_000))} s`;
}

function milliseconds(ms: number): string {
  if (ms === 0) return "–";
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
