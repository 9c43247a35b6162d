/** The three leaderboards. Rows keep their element, so a row that climbs is seen to move. */
import { byId, count, h, replaceKeepingFocus, setText } from "./dom.ts";
import type { BoardName, Entry, MapPoint, Snapshot } from "./types.ts";

const TITLES: Readonly<Record<BoardName, readonly [title: string, unit: string]>> = {
  busiest: ["Busiest", "departures and arrivals"],
  delayed: ["Most delayed", "minutes, departures"],
  connected: ["Best connected", "destinations"],
};
const MOVE_MS = 450;

export interface Boards {
  update(snapshot: Snapshot): void;
}

export function createBoards(points: ReadonlyMap<string, MapPoint>, select: (code: string) => void): Boards {
  const boards = Object.entries(TITLES).map(([name, [title, unit]]) => {
    const list = h("ol", { class: "board", "data-board": name });
    const card = h(
      "section",
      { class: "card", "aria-label": title },
      h(
        "div",
        { class: "head" },
        h("h2", {}, title, " ", h("small", {}, unit)),
        h("span", { class: "primitives", "data-primitives": "leaderboard" }),
      ),
      list,
    );
    byId("boards").append(card);
    return { name: name as BoardName, list, rows: new Map<string, HTMLElement>() };
  });
  return {
    update(snapshot) {
      for (const { name, list, rows } of boards)
        showBoard(list, rows, snapshot.boards[name], { points, onTime: snapshot.onTime }, select);
    },
  };
}

function showBoard(
  list: HTMLElement,
  rows: Map<string, HTMLElement>,
  entries: readonly Entry[],
  { points, onTime }: { readonly points: ReadonlyMap<string, MapPoint>; readonly onTime: Snapshot["onTime"] },
  select: (code: string) => void,
): void {
  const before = new Map([...rows].map(([code, row]) => [code, row.getBoundingClientRect().top]));
  const most = entries[0]?.score ?? 1;
  const shown = entries.map((entry) => {
    const row = rows.get(entry.member) ?? createRow(entry.member, points.get(entry.member), select);
    rows.set(entry.member, row);
    fillRow(row, entry, most, onTime[entry.member]);
    return row;
  });
  for (const [code, row] of rows) if (!shown.includes(row)) rows.delete(code);
  if (shown.some((row, index) => list.children[index] !== row) || list.children.length !== shown.length) {
    replaceKeepingFocus(list, shown);
    slide(rows, before);
  }
}

function createRow(code: string, point: MapPoint | undefined, select: (code: string) => void): HTMLElement {
  const place = point === undefined ? "" : point.city;
  return h(
    "li",
    {},
    h("span", { class: "rank" }),
    h("button", { type: "button", class: "code", onclick: () => select(code), "aria-label": `${code} ${place}` }, code),
    h("span", { class: "place" }, place, h("small", {})),
    h("span", { class: "score" }),
    h("span", { class: "bar", "aria-hidden": "true" }),
  );
}

function fillRow(row: HTMLElement, { rank, score }: Entry, most: number, onTime: number | undefined): void {
  const [rankCell, , place, scoreCell, bar] = row.children;
  const share = place?.lastElementChild;
  if (share instanceof HTMLElement) setText(share, onTime === undefined ? "" : ` ${Math.round(100 * onTime)}% on time`);
  if (rankCell !== undefined) setText(rankCell, String(rank));
  if (scoreCell !== undefined) setText(scoreCell, count(score));
  if (bar instanceof HTMLElement) bar.style.setProperty("--share", String(score / most));
}

/** FLIP: moved rows start where they were. */
function slide(rows: ReadonlyMap<string, HTMLElement>, before: ReadonlyMap<string, number>): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const [code, row] of rows) {
    const from = before.get(code);
    const by = from === undefined ? 0 : from - row.getBoundingClientRect().top;
    if (by === 0) continue;
    row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], {
      duration: MOVE_MS,
      easing: "ease-out",
    });
  }
}
