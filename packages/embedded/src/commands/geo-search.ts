/** Geo: what lies inside a circle or a box, for an answer or to be stored. */
import { coveringCells, distanceInside } from "../geo/area.ts";
import { type Position, positionOf, scoresOf } from "../geo/geohash.ts";
import type { Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type ScoredMember, SortedSetValue } from "../values/sorted-set.ts";
import { distanceReply, positionReply } from "./geo-arguments.ts";
import { type Search, searchArguments, type SearchForm } from "./geo-search-options.ts";
import { type Arity, type Command, command, is, type KeySpec } from "../engine/command.ts";
import { storeSortedSet } from "./sorted-sets-add.ts";

export const geoSearchCommands: readonly Command[] = [
  searchCommand("geosearch", -7, { options: 2, centre: "option", store: "never" }, [1, 1, 1]),
  searchCommand("geosearchstore", -8, { options: 3, centre: "option", store: "first-key" }, [1, 2, 1]),
  searchCommand("georadius", -6, { options: 6, centre: "position", store: "option" }, keysBefore(6)),
  searchCommand("georadius_ro", -6, { options: 6, centre: "position", store: "never" }, [1, 1, 1]),
  searchCommand("georadiusbymember", -5, { options: 5, centre: "member", store: "option" }, keysBefore(5)),
  searchCommand("georadiusbymember_ro", -5, { options: 5, centre: "member", store: "never" }, [1, 1, 1]),
];

function searchCommand(name: string, arity: Arity, form: SearchForm, keys: KeySpec): Command {
  return command({
    name,
    arity,
    flags: form.store === "never" ? "readonly" : "write denyoom",
    keys,
    category: "geo",
    run: (ctx, args) => search(ctx, form, args),
  });
}

/** The key, and the last one that STORE or STOREDIST names among the options. */
function keysBefore(options: number): KeySpec {
  return (args) => {
    let place: number | undefined;
    for (let i = options; i + 1 < args.length; i += 1) {
      if (is(args[i], "STORE") || is(args[i], "STOREDIST")) place = ++i;
    }
    return place === undefined ? [1] : [1, place];
  };
}

interface Found {
  readonly member: string;
  readonly score: number;
  readonly position: Position;
  /** Metres. */
  readonly distance: number;
}

function search(ctx: Session, form: SearchForm, args: readonly string[]): Reply {
  const key = args[form.store === "first-key" ? 2 : 1] ?? "";
  const zset = ctx.db.readAs(key, SortedSetValue);
  const request = searchArguments(form, args, zset);
  const found = zset === undefined ? [] : chosen(membersInside(zset, request), request);
  if (request.destination === undefined) return found.map((one) => foundReply(one, request));
  return store(
    ctx,
    request.destination,
    found,
    request,
    form.store === "first-key" ? "geosearchstore" : "georadiusstore",
  );
}

function store(
  ctx: Session,
  key: string,
  found: readonly Found[],
  { storesDistance, unit }: Search,
  event: string,
): Reply {
  const members = found.map(({ member, score, distance }): ScoredMember => [
    storesDistance ? distance / unit : score,
    member,
  ]);
  return storeSortedSet(ctx, key, SortedSetValue.of(ctx.engine.config, members), event);
}

function membersInside(zset: SortedSetValue, { area, any, count }: Search): Found[] {
  const most = any && count !== undefined ? count : Infinity;
  const found: Found[] = [];
  for (const cell of coveringCells(area)) {
    const { min, below } = scoresOf(cell);
    const start = zset.countScores(min, false);
    const end = zset.countScores(below, false);
    for (const { key, score } of zset.slice({ start, end })) {
      if (found.length >= most) return found;
      const position = positionOf(score);
      const distance = distanceInside(area, position);
      if (distance !== undefined) found.push({ member: key, score, position, distance });
    }
  }
  return found;
}

/** A count without an order means the nearest, unless any will do. */
function chosen(found: Found[], { sort, count, any }: Search): Found[] {
  const order = sort === "none" && count !== undefined && !any ? "asc" : sort;
  if (order === "asc") found.sort((a, b) => a.distance - b.distance);
  if (order === "desc") found.sort((a, b) => b.distance - a.distance);
  return found.slice(0, count);
}

function foundReply({ member, score, position, distance }: Found, request: Search): Reply {
  if (!request.withDistance && !request.withHash && !request.withPosition) return member;
  const parts: Reply[] = [member];
  if (request.withDistance) parts.push(distanceReply(distance / request.unit));
  if (request.withHash) parts.push(wholeScore(score));
  if (request.withPosition) parts.push(positionReply(position));
  return parts;
}

/** Integers beyond 2^53 are bigints in a reply. */
function wholeScore(score: number): Reply {
  const whole = Math.trunc(score);
  return Number.isSafeInteger(whole) ? whole : BigInt(whole);
}
