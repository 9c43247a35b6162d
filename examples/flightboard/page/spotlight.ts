/** One airport in detail: the archive through the cache, the live numbers, its tags and its neighbours. */
import { ask } from "./api.ts";
import { byId, count, h, replaceKeepingFocus, setText, svg } from "./dom.ts";
import type { LiveAirport, NearPlace, Profile, Snapshot } from "./types.ts";

const TOUR_MS = 6_000;
const BAR = 9;
const HEIGHT = 44;
const METERS_PER_MILE = 1_609.344;

export interface SpotlightHooks {
  /** The airport shown has changed. */
  shown(code: string): void;
  watching(): readonly string[] | undefined;
  watch(code: string): void;
}

export class Spotlight {
  readonly #hooks: SpotlightHooks;
  #tour: readonly string[] = [];
  #stop = 0;
  #touring = true;
  #code: string | undefined;

  constructor(hooks: SpotlightHooks) {
    this.#hooks = hooks;
    byId("follow").addEventListener("click", () => this.#follow(!this.#touring));
    setInterval(() => this.#next(), TOUR_MS);
  }

  get code(): string | undefined {
    return this.#code;
  }

  update({ boards }: Snapshot): void {
    this.#tour = boards.busiest.map((entry) => entry.member);
    if (this.#code === undefined) this.#next();
  }

  /** Ends the tour: the visitor chose. */
  select(code: string): void {
    this.#follow(false);
    void this.show(code);
  }

  async show(code: string): Promise<void> {
    this.#code = code;
    this.#hooks.shown(code);
    const [profile, live, near, looks] = await Promise.all([
      ask<Profile>(`/api/airports/${code}`),
      ask<LiveAirport>(`/api/airports/${code}/live`),
      ask<NearPlace[]>(`/api/airports/${code}/nearest`),
      ask<{ looks: number }>(`/api/airports/${code}/looks`, "POST", {}),
    ]);
    if (this.#code !== code) return;
    if (!profile.ok || profile.body === undefined) {
      byId("spotlight").replaceChildren(h("p", { class: "muted" }, profile.title));
      return;
    }
    this.#render(profile.body, live.body, near.ok ? (near.body ?? []) : [], looks.body?.looks);
  }

  #render(
    profile: Profile,
    live: LiveAirport | undefined,
    near: readonly NearPlace[],
    looks: number | undefined,
  ): void {
    const onTime = profile.departures === 0 ? "–" : `${Math.round((100 * profile.onTime) / profile.departures)}%`;
    replaceKeepingFocus(byId("spotlight"), [
      h("p", { class: "airport" }, h("strong", {}, profile.code), ` ${profile.name}`, this.#star(profile.code)),
      h(
        "p",
        { class: "muted" },
        `${profile.city}, ${profile.state}${looks === undefined ? "" : ` · looked at ${times(looks)}`}`,
      ),
      facts({
        "departures so far": count(live?.record.departures ?? 0),
        "arrivals so far": count(live?.record.arrivals ?? 0),
        destinations: count(live?.record.served.length ?? 0),
        "on time, archive": onTime,
      }),
      h("h3", {}, "Departures by hour"),
      hours(profile.hours),
      h("h3", {}, "Busiest routes"),
      chips(
        profile.routes.map(({ code, flights }) => [code, count(flights)] as const),
        (code) => this.select(code),
      ),
      h("h3", {}, "Nearest airports"),
      chips(
        near
          .filter(({ member }) => member !== profile.code)
          .map(({ member, meters }) => [member, `${Math.round(meters / METERS_PER_MILE)} mi`] as const),
        (code) => this.select(code),
      ),
    ]);
  }

  #star(code: string): HTMLElement | undefined {
    const watching = this.#hooks.watching();
    if (watching === undefined) return undefined;
    const on = watching.includes(code);
    return h(
      "button",
      {
        type: "button",
        class: "star",
        "data-key": "star",
        "aria-pressed": String(on),
        "aria-label": `Watch ${code}`,
        onclick: () => this.#hooks.watch(code),
      },
      on ? "★" : "☆",
    );
  }

  #follow(on: boolean): void {
    this.#touring = on;
    byId("follow").setAttribute("aria-pressed", String(on));
    setText(byId("follow"), on ? "Touring" : "Tour");
    if (on) this.#next();
  }

  #next(): void {
    if (!this.#touring || document.hidden || inUse()) return;
    const code = this.#tour[this.#stop % Math.max(1, this.#tour.length)];
    this.#stop += 1;
    if (code !== undefined) void this.show(code);
  }
}

function times(looks: number): string {
  return looks === 1 ? "once" : `${count(looks)} times`;
}

/** The tour waits for a visitor who reads or uses what it shows. */
function inUse(): boolean {
  return byId("spotlight").matches(":hover, :focus-within");
}

function facts(rows: Readonly<Record<string, string>>): HTMLElement {
  return h(
    "dl",
    { class: "facts" },
    ...Object.entries(rows).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function hours(counts: readonly number[]): SVGElement {
  const most = Math.max(1, ...counts);
  const bars = counts.map((value, hour) => {
    const height = (value / most) * HEIGHT;
    return svg(
      "rect",
      { x: hour * BAR, y: HEIGHT - height, width: BAR - 2, height, rx: 1 },
      svg("title", {}, `${hour}:00, ${value} departures`),
    );
  });
  return svg(
    "svg",
    {
      class: "hours",
      viewBox: `0 0 ${24 * BAR} ${HEIGHT}`,
      role: "img",
      "aria-label": "Departures by hour of the day",
      preserveAspectRatio: "none",
    },
    ...bars,
  );
}

export function chips(
  items: readonly (readonly [code: string, text: string])[],
  select: (code: string) => void,
): HTMLElement {
  const buttons = items.map(([code, text]) => {
    return h(
      "button",
      { type: "button", class: "chip", "data-key": code, onclick: () => select(code) },
      h("b", {}, code),
      text === "" ? undefined : ` ${text}`,
    );
  });
  return h("div", { class: "chips" }, ...buttons);
}
