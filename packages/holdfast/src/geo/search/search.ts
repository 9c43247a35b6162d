/**
 * A search: the nearest members of an area, found from the centre outwards. The map is a quadtree whose cells are read whole, the nearest ones
 * first, until no cell that was not read can have a nearer member. What is too full is not read but divided, so one look at the server is
 * bounded whatever lies where. The first circle comes from what earlier searches found, so that one look mostly is enough.
 */
import type { Area } from "../../core/earth/area.ts";
import {
  type Cell,
  cellAt,
  childrenOf,
  MAX_STEP,
  metersOfScore,
  pointOf,
  rectOf,
  scoresOf,
  WHOLE_MAP,
} from "../../core/earth/cells.ts";
import { type Look, type MemberAt, MOST, type Part, type Seen, sideOf, type Span, spansOf } from "./parts.ts";
import { compareRanks, type Rank, rounded } from "./rank.ts";
import { type Density, densityOf, radiusFor, withMargin } from "./density.ts";
import { EARTH_RADIUS, metersAcross, metersBetween, metersTo, type Point, radians } from "../../core/earth/sphere.ts";

/** Where a member was found. */
export interface Found extends Point {
  readonly member: string;
  /** From the centre. */
  readonly meters: number;
  /** As they are stored; undefined where they were not asked for, '' where there are none. */
  readonly about: string | undefined;
}

export interface Wish {
  readonly area: Area;
  readonly limit: number;
  /** Only what comes after it. */
  readonly after: Rank | undefined;
  /** A member that is no match. */
  readonly except: string | undefined;
  readonly accepts: ((about: string) => boolean) | undefined;
}

/** An index with at most this many members is read whole. */
const WHOLE = 256;
/** Members read before and after the centre. */
const MOST_PROBED = 128;
const MAP_END = 4 ** MAX_STEP;
const PARTS_PER_LOOK = 96;
/** Beyond what rounding does to a distance. */
const SLACK_METERS = 0.01;
/** Of one place that is read while very many members come and go there. */
const MOST_RESTARTS = 16;
/** A circle that had not enough grows at least, and at most, so much. */
const LEAST_GROWTH = 1.5;
const MOST_GROWTH = 4;

export async function search(look: Look, wish: Wish, density: Density): Promise<Found[]> {
  const run = new Search(wish, density);
  const looked = async (spans: readonly Span[]): Promise<readonly Seen[]> => {
    const { total, seen } = await look(spans);
    density.total = total;
    return total === 0 ? [] : seen;
  };
  const probes = run.probes();
  if (probes.length > 0) run.estimate(await looked(probes));
  for (let parts = run.next(); parts.length > 0; parts = run.next()) {
    const spans = spansOf(parts, (part) => run.mostOf(part));
    const seen = await looked(spans.map(({ span }) => span));
    for (const [at, each] of seen.entries()) run.take(spans[at]!.parts, each);
  }
  return run.end();
}

class Search {
  readonly #wish: Wish;
  readonly #density: Density;
  /** A member that moves while it is searched for is where it was seen last. */
  readonly #found = new Map<string, Found>();
  /** Of them, in their order, at most the limit. */
  #matches: Found[] = [];
  #parts: Part[];
  /** What is nearer than this is asked for. */
  #target = Infinity;
  #isSmall: boolean;
  #membersSeen = 0;
  #membersTaken = 0;
  #expectedDensity: number | undefined;

  constructor(wish: Wish, density: Density) {
    this.#wish = wish;
    this.#density = density;
    this.#parts = this.#part(WHOLE_MAP, undefined);
    const { total } = density;
    this.#isSmall = total !== undefined && total <= WHOLE;
    this.#expectedDensity = density.around(wish.area.center);
    this.#aim();
  }

  /** Where nothing is known of the region: the members before and after the centre among the scores, most of which are near. */
  probes(): Span[] {
    if (this.#isSmall || this.#expectedDensity !== undefined) return [];
    const [center] = scoresOf(cellAt(this.#wish.area.center, MAX_STEP));
    const most = -Math.min(MOST_PROBED, 1 + this.#wish.limit);
    return [
      { first: 0, end: center, skip: "back", most },
      { first: center, end: MAP_END, skip: 0, most },
    ];
  }

  estimate(seen: readonly Seen[]): void {
    const members = seen.flatMap((each) => ("members" in each ? each.members : []));
    for (const member of members) this.#accept(member);
    this.#isSmall = (this.#density.total ?? 0) <= WHOLE;
    const scores = members.map(({ score }) => score);
    const span = Math.max(...scores) - Math.min(...scores) + 1;
    const square = span * metersOfScore(this.#wish.area.center.lat);
    this.#expectedDensity = Math.max(1, members.length) / square;
    this.#aim();
  }

  #aim(): void {
    const after = this.#wish.after?.meters ?? 0;
    const density = this.#expectedDensity;
    if (density !== undefined) this.#target = Math.hypot(after, radiusFor(this.#wish.limit / this.#share, density));
    if (this.#isSmall) this.#target = Infinity;
  }

  /** The parts to read now; none when everything that was asked for is known. */
  next(): Part[] {
    this.#sort();
    const bound = Math.min(this.#last?.meters ?? Infinity, this.#wish.area.radius);
    this.#target = Math.min(this.#target, bound);
    for (;;) {
      this.#parts = this.#parts.flatMap((part) => this.#divide(part));
      const near = this.#parts.filter((part) => this.#isWanted(part)).toSorted((a, b) => a.nearest - b.nearest);
      if (near.length > 0) return this.#ask(this.#enough(near));
      if (this.#target >= bound || this.#parts.length === 0) return [];
      this.#grow(bound);
    }
  }

  take(parts: readonly Part[], seen: Seen): void {
    if ("count" in seen) {
      const count = Math.ceil(seen.count / parts.length);
      // Of several in a row it is not known which one has them.
      for (const part of parts) this.#parts.push({ ...part, count: Math.max(1, count) });
      return;
    }
    for (const member of seen.members) this.#accept(member);
    const [only] = parts;
    if (parts.length === 1 && only!.cell.step === MAX_STEP) this.#readOn(only!, seen);
  }

  /** More of one place: from the last member on that was read. If another is there, some have gone or come before it, and others moved up. */
  #readOn(part: Part, { members, seen }: Exclude<Seen, { readonly count: number }>): void {
    const isMoved = part.skip > 0 && members[0]?.member !== part.last;
    if (isMoved && part.restarts < MOST_RESTARTS)
      this.#parts.push({ ...part, skip: 0, last: "", restarts: part.restarts + 1 });
    else if (seen === -this.mostOf(part))
      this.#parts.push({ ...part, skip: part.skip + seen - 1, last: members.at(-1)?.member ?? part.last });
  }

  end(): Found[] {
    this.#sort();
    const matches = this.#matches;
    const { area, after, limit } = this.#wish;
    if (area.isCircle && matches.length > 0 && after === undefined) {
      const radius = matches.length === limit ? matches.at(-1)!.meters : Math.min(area.radius, this.#target);
      this.#density.learn(area.center, densityOf(matches.length / this.#share, radius));
    }
    return matches;
  }

  /** How many members of a part are read: about what is expected, with room. */
  mostOf(part: Part): number {
    if (part.cell.step === MAX_STEP) {
      const { after, accepts, limit } = this.#wish;
      return after === undefined && accepts === undefined ? -Math.min(MOST, limit + 1) : -MOST;
    }
    if (part.cell.step === 0) return WHOLE;
    return Math.min(MOST, 16 + Math.ceil(2 * this.#expected(part)));
  }

  #accept({ member, score, about }: MemberAt): void {
    const { area, after, except, accepts } = this.#wish;
    this.#found.delete(member);
    const point = pointOf(score);
    const meters = rounded(metersBetween(area.center, point));
    if (member === except || !area.contains(point, meters)) return;
    this.#membersSeen += 1;
    if (accepts !== undefined && !accepts(about ?? "")) return;
    this.#membersTaken += 1;
    const found = { member, meters, ...point, about };
    if (after === undefined || compareRanks(found, after) > 0) this.#found.set(member, found);
  }

  /** The last of the matches, once there are enough. */
  get #last(): Found | undefined {
    return this.#matches[this.#wish.limit - 1];
  }

  #sort(): void {
    this.#matches = [...this.#found.values()].toSorted(compareRanks).slice(0, this.#wish.limit);
  }

  #isWanted(part: Part): boolean {
    if (part.nearest - SLACK_METERS > this.#target) return false;
    if (part.last === "" || this.#last === undefined) return true;
    // One place, whose members come in the order of their bytes.
    const meters = rounded(metersBetween(this.#wish.area.center, pointOf(scoresOf(part.cell)[0])));
    return compareRanks({ meters, member: part.last }, this.#last) < 0;
  }

  /** The nearest ones that together should have enough; all of them once it is known how far the last match is. */
  #enough(near: readonly Part[]): Part[] {
    const wanted =
      this.#last === undefined ? (4 * withMargin(this.#wish.limit - this.#found.size)) / this.#share : Infinity;
    let [expected, count] = [0, 0];
    for (const part of near) {
      if (count >= PARTS_PER_LOOK || (count >= 4 && expected >= wanted)) break;
      expected += this.#expected(part);
      count += 1;
    }
    return near.slice(0, count);
  }

  /** Takes parts out of those that were not read. */
  #ask(parts: readonly Part[]): Part[] {
    const asked = new Set(parts);
    this.#parts = this.#parts.filter((part) => !asked.has(part));
    return [...parts];
  }

  /** A part in pieces that are small beside the circle, and have few members, where they are wanted. */
  #divide(part: Part): Part[] {
    const { cell, rect, nearest, count } = part;
    if (cell.step === MAX_STEP || nearest - SLACK_METERS > this.#target) return [part];
    const isCrowded = count !== undefined && count > 32 && this.mostOf(part) < count * 1.5;
    if (!isCrowded && (count !== undefined || sideOf(rect) <= this.#target * 0.8)) return [part];
    const expected = count === undefined ? undefined : count / 4;
    return childrenOf(cell)
      .flatMap((child) => this.#part(child, expected))
      .flatMap((child) => this.#divide(child));
  }

  /** Nothing where no member of the cell is wanted. */
  #part(cell: Cell, count: number | undefined): Part[] {
    const { area, after } = this.#wish;
    const rect = rectOf(cell);
    if (!area.touches(rect)) return [];
    const nearest = metersTo(area.center, rect);
    if (after !== undefined && metersAcross(area.center, rect) < after.meters - SLACK_METERS) return [];
    return [{ cell, rect, nearest, count, skip: 0, last: "", restarts: 0 }];
  }

  /** The circle had not enough: a larger one, by what it had. */
  #grow(bound: number): void {
    const target = this.#target;
    if (bound <= target * MOST_GROWTH) {
      this.#target = bound;
      return;
    }
    const { limit, after } = this.#wish;
    const within = this.#matches.filter(({ meters }) => meters <= target).length / this.#share;
    if (within >= 4 && after === undefined) this.#expectedDensity = densityOf(within, target);
    const wanted = within >= 4 ? radiusFor(limit / this.#share, this.#expectedDensity ?? 1) : Infinity;
    const grown = Math.min(target * MOST_GROWTH, Math.max(target * LEAST_GROWTH, wanted));
    const nearest = Math.min(...this.#parts.map((part) => part.nearest));
    this.#target = Math.min(bound, Math.max(grown, nearest + SLACK_METERS));
  }

  #expected({ count, rect }: Part): number {
    if (count !== undefined) return count;
    const height = EARTH_RADIUS * radians(rect.north - rect.south);
    const width = EARTH_RADIUS * radians(rect.east - rect.west) * Math.cos(radians((rect.north + rect.south) / 2));
    return Math.max(0.5, (this.#expectedDensity ?? 0) * width * height);
  }

  /** The part of the members that were seen which are matches. */
  get #share(): number {
    return this.#wish.accepts === undefined ? 1 : (this.#membersTaken + 1) / (this.#membersSeen + 1);
  }
}
