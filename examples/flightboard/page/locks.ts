/** Who leads, with which fence, which processes live, and what changed: takeovers, deaths, restarts. */
import { kill } from "./break.ts";
import { byId, h, setText } from "./dom.ts";
import { note } from "./history.ts";
import type { LockView, ProcessView, Snapshot } from "./types.ts";

const LEASE_MS = 2_000;

const LOCKS = { leader: "ingest-leader", worker: "worker" } as const;
const holders = new Map<string, LockView>();
const rows = new Map<string, HTMLElement>();
let pids = new Map<string, number | undefined>();

export function showLocks({ locks, processes }: Snapshot): void {
  byId("locks").replaceChildren(lockRow(LOCKS.leader, locks.leader), lockRow(LOCKS.worker, locks.worker));
  for (const process of processes) showProcess(process, locks);
  followLock(LOCKS.leader, locks.leader);
  followLock(LOCKS.worker, locks.worker);
  followProcesses(processes);
}

function lockRow(name: string, lock: LockView | undefined): HTMLElement {
  const bar = h("span", { class: "lease", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(Math.max(0, Math.min(1, (lock?.ttlMs ?? 0) / LEASE_MS))));
  return h(
    "div",
    { class: "lock", "data-lock": name },
    h("span", { class: "lock-name" }, name),
    h("span", { class: "holder" }, lock?.holder ?? "free"),
    h(
      "span",
      { class: "fence", title: `fence ${lock?.fence ?? ""}` },
      lock === undefined ? "" : shortFence(lock.fence),
    ),
    bar,
  );
}

/** The row is made once: its button keeps the focus, and a press is never cut in two. */
function showProcess({ name, presence }: ProcessView, locks: Snapshot["locks"]): void {
  const row = rows.get(name) ?? createRow(name);
  const [, , state, pid, button] = row.children;
  row.className = presence === undefined ? "down" : "up";
  if (state !== undefined) setText(state, presence === undefined ? "down" : doing(name, locks));
  if (pid !== undefined) setText(pid, presence === undefined ? "—" : `pid ${presence.pid}`);
  if (button instanceof HTMLButtonElement) button.disabled = presence === undefined;
}

function createRow(name: string): HTMLElement {
  const row = h(
    "li",
    { "data-process": name },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", { class: "process" }, name),
    h("span", { class: "state" }),
    h("code"),
    h(
      "button",
      {
        type: "button",
        class: "quiet kill",
        "aria-label": `kill ${name} with SIGKILL`,
        onclick: () => void kill(name),
      },
      "kill -9",
    ),
  );
  rows.set(name, row);
  byId("processes").append(row);
  return row;
}

function doing(name: string, { leader, worker }: Snapshot["locks"]): string {
  if (name === leader?.holder) return "leads";
  if (name === worker?.holder) return "works";
  return name === "api" ? "serves" : "stands by";
}

/** A fence is at least a clock reading in microseconds; its end distinguishes two. */
function shortFence(fence: number): string {
  return `fence …${String(fence).slice(-8)}`;
}

function followLock(name: string, lock: LockView | undefined): void {
  if (lock === undefined) return;
  const before = holders.get(name);
  if (before === undefined) note(`${lock.holder} holds ${name}`);
  else if (before.holder !== lock.holder) note(`${lock.holder} took over from ${before.holder}, with a higher fence`);
  else if (before.fence !== lock.fence) note(`${lock.holder} holds ${name} again, with a higher fence`);
  holders.set(name, lock);
}

function followProcesses(processes: readonly ProcessView[]): void {
  for (const { name, presence } of processes) {
    const before = pids.get(name);
    if (before !== undefined && presence === undefined) note(`${name} is gone (pid ${before})`);
    else if (before !== undefined && before !== presence?.pid)
      note(`${name} was replaced: pid ${before} → ${presence?.pid}`);
    else if (pids.has(name) && before === undefined && presence !== undefined)
      note(`${name} is back with pid ${presence.pid}`);
  }
  pids = new Map(processes.map(({ name, presence }) => [name, presence?.pid]));
}
