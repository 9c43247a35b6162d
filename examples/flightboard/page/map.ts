/** The map: outlines and airports as SVG, sized by traffic; the arcs of flights are drawn over it by `arcs.ts`. */
import { byId, h, svg } from "./dom.ts";
import type { MapData, MapPoint, Snapshot } from "./types.ts";

const LABELS = 9;
/** Area, not radius, stands for traffic. */
const RADIUS_OF_BUSIEST = 17;
const SMALLEST_RADIUS = 1.4;
/** Labels nearer than this to one already placed are left out. */
const LABEL_GAP = 34;

export interface MapView {
  readonly canvas: HTMLCanvasElement;
  readonly points: ReadonlyMap<string, MapPoint>;
  update(snapshot: Snapshot): void;
  highlight(selected: string | undefined, watching: readonly string[]): void;
}

export function createMap(data: MapData, select: (code: string) => void): MapView {
  const points = new Map(data.airports.map((point) => [point.code, point]));
  const airports = svg("g", { class: "airports" });
  const labels = svg("g", { class: "labels", "aria-hidden": "true" });
  const canvas = h("canvas", { "aria-hidden": "true" });
  const viewBox = `0 0 ${data.width} ${data.height}`;
  const picture = svg(
    "svg",
    { viewBox, role: "group", "aria-label": "US map; each circle is an airport" },
    svg("path", { class: "nation", d: data.nation }),
    svg("path", { class: "borders", d: data.borders }),
    airports,
    labels,
  );
  byId("map").append(picture, canvas);
  const circles = new Map<string, SVGCircleElement>();

  const circleOf = (point: MapPoint): SVGCircleElement => {
    const known = circles.get(point.code);
    if (known !== undefined) return known;
    const circle = svg("circle", { cx: point.x ?? 0, cy: point.y ?? 0, r: 0, "data-code": point.code });
    circle.append(svg("title"));
    circle.addEventListener("click", () => select(point.code));
    circles.set(point.code, circle);
    airports.append(circle);
    return circle;
  };

  return {
    canvas,
    points,
    update({ traffic }) {
      const most = traffic[0]?.[1] ?? 1;
      for (const [code, flights] of traffic) {
        const point = points.get(code);
        if (point?.x === undefined) continue;
        const circle = circleOf(point);
        circle.setAttribute("r", Math.max(SMALLEST_RADIUS, RADIUS_OF_BUSIEST * Math.sqrt(flights / most)).toFixed(1));
        const title = circle.firstElementChild;
        if (title !== null) title.textContent = `${code}, ${point.city}: ${flights} flights`;
      }
      labels.replaceChildren(...labelsFor(traffic, points));
    },
    highlight(selected, watching) {
      for (const [code, circle] of circles) {
        circle.classList.toggle("selected", code === selected);
        circle.classList.toggle("watched", watching.includes(code));
      }
    },
  };
}

function labelsFor(traffic: Snapshot["traffic"], points: ReadonlyMap<string, MapPoint>): SVGTextElement[] {
  const placed: { x: number; y: number; code: string }[] = [];
  for (const [code] of traffic) {
    const { x, y } = points.get(code) ?? {};
    if (x === undefined || y === undefined) continue;
    if (placed.some((other) => Math.hypot(other.x - x, other.y - y) < LABEL_GAP)) continue;
    placed.push({ x, y, code });
    if (placed.length === LABELS) break;
  }
  return placed.map(({ x, y, code }) => svg("text", { x, y: y + 3.5, "text-anchor": "middle" }, code));
}
