/** "Break it": kills the process that leads, and shows what came of the last kill. The result stays. */
import { ask } from "./api.ts";
import { byId, count, h, setText } from "./dom.ts";
import { note } from "./history.ts";
import type { Snapshot, Takeover } from "./types.ts";

const button = byId("break-it") as HTMLButtonElement;
const target = byId("break-target");
let leader: string | undefined;

button.addEventListener("click", () => leader !== undefined && void kill(leader));

/** SIGKILL, by way of the API and the launcher. */
export async function kill(name: string): Promise<void> {
  const { ok, status, title } = await ask("/api/kill", "POST", { process: name });
  // The API that was asked to have itself killed gives no answer.
  if (!ok && status !== 0) note(title);
}

export function showBreak({ locks, processes, takeover }: Snapshot): void {
  leader = locks.leader?.holder;
  const waiting = takeover !== undefined && takeover.successor === undefined;
  button.disabled = leader === undefined || waiting;
  const pid = processes.find(({ name }) => name === leader)?.presence?.pid;
  setText(target, pid === undefined || waiting ? "nobody leads just now" : `kill -9 ${pid}, which is ${leader}`);
  if (takeover !== undefined) showVerdict(takeover);
}

function showVerdict({ killed, lock, at, successor, count: counted }: Takeover): void {
  const time = new Date(at).toTimeString().slice(0, 8);
  const verdict = byId("verdict");
  // Announced once for each step: what is unchanged is left alone.
  const step = `${at} ${successor?.name} ${counted?.flights}`;
  if (verdict.dataset["step"] === step) return;
  verdict.dataset["step"] = step;
  verdict.replaceChildren(
    h("span", { class: "killed" }, `${time} ${killed} was killed.`),
    tile(successor && `${(successor.afterMs / 1_000).toFixed(1)} s`, `until the new ${lock}`, successor?.name),
    tile(counted && count(counted.lost), "flights lost", counted && `of ${count(counted.flights)}`, counted?.lost),
    tile(counted && count(counted.twice), "counted twice", counted && `of ${count(counted.flights)}`, counted?.twice),
  );
}

/** One figure; an ellipsis until it is measured. */
function tile(figure: string | undefined, what: string, detail: string | undefined, wrong = 0): HTMLElement {
  const state = figure === undefined ? "pending" : wrong > 0 ? "bad" : "good";
  return h(
    "span",
    { class: `tile ${state}` },
    h("strong", {}, figure ?? "…"),
    " ",
    h("span", {}, what),
    " ",
    h("small", {}, detail ?? "being measured"),
  );
}
