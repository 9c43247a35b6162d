/** Two small instruments: the cache's hit ratio and what is left of the rate limit. */
import { type Allowance, ask, onAllowance } from "./api.ts";
import { byId, count, h, setText, svg } from "./dom.ts";
import type { Snapshot } from "./types.ts";

const RADIUS = 42;
const AROUND = 2 * Math.PI * RADIUS;
const BURST = 60;

export function createCacheGauge(): (cache: Snapshot["cache"]) => void {
  const arc = svg("circle", { class: "value", cx: 50, cy: 50, r: RADIUS, "stroke-dasharray": `0 ${AROUND}` });
  const ratio = svg("text", { x: 50, y: 56, "text-anchor": "middle" }, "–");
  const numbers = h("dl");
  byId("cache").append(
    svg(
      "svg",
      { viewBox: "0 0 100 100", class: "ring", role: "img", "aria-label": "hit ratio" },
      svg("circle", { class: "track", cx: 50, cy: 50, r: RADIUS }),
      arc,
      ratio,
    ),
    numbers,
  );
  return ({ hits, misses, loads, joined }) => {
    const share = hits + misses === 0 ? 0 : hits / (hits + misses);
    arc.setAttribute("stroke-dasharray", `${share * AROUND} ${AROUND}`);
    setText(ratio, hits + misses === 0 ? "–" : `${Math.round(share * 100)}%`);
    const rows = Object.entries({ hits, misses, "database loads": loads, "joined a load": joined });
    numbers.replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, count(value))]));
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
