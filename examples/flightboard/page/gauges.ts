/** Two small instruments: where the caches' answers came from, and what is left of the rate limit. */
import { type Allowance, ask, onAllowance } from "./api.ts";
import { byId, count, h, setText, svg } from "./dom.ts";
import type { Snapshot } from "./types.ts";

const RADIUS = 42;
const AROUND = 2 * Math.PI * RADIUS;
const BURST = 60;

/** Where a call was answered, from the fastest on. */
const LEVELS = ["memory", "server", "stale", "misses"] as const;
const FIGURES = [
  ["loads", "database loads"],
  ["joined", "joined a load"],
  ["unwritten", "writes waiting"],
] as const;

/** A ring with an arc for each level, and what it says in figures. */
export function createCacheGauge(): (cache: Snapshot["cache"]) => void {
  const arcs = LEVELS.map((level) => svg("circle", { class: `value ${level}`, cx: 50, cy: 50, r: RADIUS }));
  const ratio = svg("text", { x: 50, y: 56, "text-anchor": "middle" }, "–");
  const levels = LEVELS.map((name) => ({ name, term: h("dt", { class: `level ${name}` }, name) }));
  const rows = [...levels, ...FIGURES.map(([name, title]) => ({ name, term: h("dt", {}, title) }))];
  const figures = rows.map(({ name, term }) => ({ name, term, figure: h("dd", { "data-count": name }) }));
  const ring = { viewBox: "0 0 100 100", class: "ring", role: "img", "aria-label": "answers by level" };
  byId("cache").append(
    svg("svg", ring, svg("circle", { class: "track", cx: 50, cy: 50, r: RADIUS }), ...arcs, ratio),
    h("dl", {}, ...figures.flatMap(({ term, figure }) => [term, figure])),
  );
  return (cache) => {
    const all = LEVELS.reduce((sum, level) => sum + cache[level], 0);
    let before = 0;
    for (const [index, level] of LEVELS.entries()) {
      const length = all === 0 ? 0 : (cache[level] / all) * AROUND;
      arcs[index]?.setAttribute("stroke-dasharray", `${length} ${AROUND}`);
      arcs[index]?.setAttribute("stroke-dashoffset", String(-before));
      before += length;
    }
    setText(ratio, all === 0 ? "–" : `${Math.round((100 * (cache.memory + cache.server)) / all)}%`);
    for (const { name, figure } of figures) setText(figure, count(cache[name]));
  };
}

export function createLimitGauge(): void {
  const meter = h("meter", { min: 0, max: 1, value: 1, "aria-labelledby": "limit-title" });
  const text = h("p", { class: "allowance" }, "No request yet");
  const button = h("button", { type: "button", onclick: () => void burst(button) }, `Send ${BURST} requests`);
  byId("limit").append(meter, text, button);
  onAllowance((allowance) => {
    meter.max = allowance.limit;
    meter.low = allowance.limit * 0.15;
    meter.high = allowance.limit * 0.4;
    meter.optimum = allowance.limit;
    meter.value = allowance.remaining;
    setText(text, words(allowance));
    text.classList.toggle("refused", allowance.retryAfter > 0);
  });
}

function words({ remaining, limit, retryAfter }: Allowance): string {
  if (retryAfter > 0) return `429: refused, come back in ${retryAfter} s`;
  return `${count(remaining)} of ${count(limit)} requests left this minute`;
}

async function burst(button: HTMLButtonElement): Promise<void> {
  button.disabled = true;
  await Promise.all(Array.from({ length: BURST }, () => ask("/api/snapshot")));
  button.disabled = false;
}
