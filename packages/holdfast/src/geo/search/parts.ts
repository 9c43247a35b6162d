/** Parts of the map that a search has not read yet, and the spans of scores by which it asks for them. */
import { type Cell, scoresOf } from "../../core/earth/cells.ts";
import { EARTH_RADIUS, radians, type Rect } from "../../core/earth/sphere.ts";

/** Scores from `first` to before `end`, that is, a cell or several in a row. */
export interface Span {
  readonly first: number;
  readonly end: number;
  /** Members not to read: so many, which are all at one place, or all before the last ones. */
  readonly skip: number | "back";
  /** More than this are not read but counted; below 0: that many are read of however many there are. */
  readonly most: number;
}

export interface MemberAt {
  readonly member: string;
  readonly score: number;
  readonly about: string | undefined;
}

/** What is in a span: its members and how many were looked at for them, or only how many there are. */
export type Seen = { readonly members: readonly MemberAt[]; readonly seen: number } | { readonly count: number };

export interface Look {
  (spans: readonly Span[]): Promise<{ readonly total: number; readonly seen: readonly Seen[] }>;
}

/** A part of the map that was not read. */
export interface Part {
  readonly cell: Cell;
  readonly rect: Rect;
  /** No point of it is nearer. */
  readonly nearest: number;
  /** Members in it; undefined where nothing is known. */
  readonly count: number | undefined;
  /** Of a cell that is a single place with many members: how many come before the last one that was read. */
  readonly skip: number;
  /** The last member that was read there. */
  readonly last: string;
  /** How often reading it began again from the first member. */
  readonly restarts: number;
}

/** Members of one cell that are read at once. */
export const MOST = 256;

/** Parts in a row as one span, so that they cost one command. */
export function spansOf(
  parts: readonly Part[],
  mostOf: (part: Part) => number,
): { readonly span: Span; readonly parts: Part[] }[] {
  const spans: { span: Span; parts: Part[] }[] = [];
  for (const part of parts.toSorted((a, b) => scoresOf(a.cell)[0] - scoresOf(b.cell)[0])) {
    const [first, end] = scoresOf(part.cell);
    const most = mostOf(part);
    const before = spans.at(-1);
    if (
      before !== undefined &&
      before.span.end === first &&
      most > 0 &&
      before.span.most > 0 &&
      before.span.most + most <= MOST
    ) {
      before.parts.push(part);
      before.span = { ...before.span, end, most: before.span.most + most };
    } else spans.push({ span: { first, end, skip: part.skip, most }, parts: [part] });
  }
  return spans;
}

/** The longer side of a rectangle, in metres. */
export function sideOf({ west, east, south, north }: Rect): number {
  const lat = south > 0 ? south : north < 0 ? north : 0;
  const width = EARTH_RADIUS * radians(east - west) * Math.cos(radians(lat));
  return Math.max(width, EARTH_RADIUS * radians(north - south));
}
