/** Flights as arcs on a canvas: each grows from its origin, carries a bright head, and fades. */
import { token } from "./dom.ts";
import type { MapView } from "./map.ts";
import type { Flight, MapData } from "./types.ts";

interface Arc {
  readonly from: Point;
  readonly over: Point;
  readonly to: Point;
  readonly colour: string;
  readonly start: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const LIFE_MS = 2_600;
/** Part of the life in which the arc grows; the rest is fading. */
const GROWING = 0.62;
const STEPS = 26;
/** More than this is a blur; the newest are drawn. */
const MAX_ARCS = 140;
const LATE = 15;
const VERY_LATE = 60;

export class Arcs {
  readonly #map: MapView;
  readonly #data: MapData;
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #arcs: Arc[] = [];
  #colours = readColours();
  #running = false;

  constructor(map: MapView, data: MapData) {
    this.#map = map;
    this.#data = data;
    new ResizeObserver(() => this.#resize()).observe(map.canvas);
    this.#resize();
  }

  recolour(): void {
    this.#colours = readColours();
  }

  add(flights: readonly Flight[]): void {
    if (document.hidden) return;
    const now = performance.now();
    for (const flight of flights) {
      const from = this.#point(flight.origin);
      const to = this.#point(flight.destination);
      if (from === undefined || to === undefined) continue;
      this.#arcs.push({
        from,
        to,
        over: bend(from, to),
        colour: this.#colour(flight.delay),
        start: now + Math.random() * 250,
      });
    }
    this.#arcs = this.#arcs.slice(-MAX_ARCS);
    if (this.#running) return;
    this.#running = true;
    requestAnimationFrame((time) => this.#draw(time));
  }

  #draw(now: number): void {
    const context = this.#map.canvas.getContext("2d");
    if (context === null) return;
    const { canvas } = this.#map;
    context.setTransform(canvas.width / this.#data.width, 0, 0, canvas.height / this.#data.height, 0, 0);
    context.clearRect(0, 0, this.#data.width, this.#data.height);
    context.lineCap = "round";
    this.#arcs = this.#arcs.filter((arc) => now - arc.start < LIFE_MS);
    for (const arc of this.#arcs) drawArc(context, arc, (now - arc.start) / LIFE_MS, this.#still.matches);
    this.#running = this.#arcs.length > 0;
    if (this.#running) requestAnimationFrame((time) => this.#draw(time));
  }

  #point(code: string): Point | undefined {
    const { x, y } = this.#map.points.get(code) ?? {};
    return x === undefined || y === undefined ? undefined : { x, y };
  }

  #colour(delay: number): string {
    if (delay > VERY_LATE) return this.#colours.veryLate;
    return delay > LATE ? this.#colours.late : this.#colours.onTime;
  }

  #resize(): void {
    const { canvas } = this.#map;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
  }
}

function drawArc(context: CanvasRenderingContext2D, arc: Arc, age: number, still: boolean): void {
  if (age < 0) return;
  const grown = still ? 1 : ease(Math.min(1, age / GROWING));
  const fade = age < GROWING ? 1 : 1 - (age - GROWING) / (1 - GROWING);
  context.strokeStyle = arc.colour;
  context.globalAlpha = 0.75 * fade;
  context.lineWidth = 1.3;
  context.beginPath();
  context.moveTo(arc.from.x, arc.from.y);
  for (let step = 1; step <= STEPS; step += 1) {
    const { x, y } = along(arc, (grown * step) / STEPS);
    context.lineTo(x, y);
  }
  context.stroke();
  if (grown < 1) drawHead(context, along(arc, grown), arc.colour);
  context.globalAlpha = 1;
}

function drawHead(context: CanvasRenderingContext2D, { x, y }: Point, colour: string): void {
  context.fillStyle = colour;
  context.globalAlpha = 0.25;
  disc(context, x, y, 5);
  context.globalAlpha = 1;
  disc(context, x, y, 2);
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** The control point that lifts the curve over the straight line, always towards the north. */
function bend(from: Point, to: Point): Point {
  const lift = Math.hypot(to.x - from.x, to.y - from.y) * 0.22;
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 - lift };
}

/** A quadratic Bézier curve at `t` in [0, 1]. */
function along({ from, over, to }: Arc, t: number): Point {
  const mix = (a: number, b: number, c: number): number => (1 - t) ** 2 * a + 2 * (1 - t) * t * b + t ** 2 * c;
  return { x: mix(from.x, over.x, to.x), y: mix(from.y, over.y, to.y) };
}

function ease(t: number): number {
  return 1 - (1 - t) ** 3;
}

function readColours(): { onTime: string; late: string; veryLate: string } {
  return { onTime: token("on-time"), late: token("late"), veryLate: token("very-late") };
}
