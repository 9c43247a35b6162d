/**
 * The arguments of GEOSEARCH, GEOSEARCHSTORE and the four older GEORADIUS commands. Positions of members are looked up while
 * reading, as in Redis, so that errors come in the same order.
 */
import { fail, SYNTAX } from "../base/errors.ts";
import type { Area, Shape } from "../geo/area.ts";
import type { Position } from "../geo/geohash.ts";
import { doubleArgument, integerArgument } from "../base/numbers.ts";
import type { SortedSetValue } from "../values/sorted-set.ts";
import { positionArgument, positionOfMember, unitArgument } from "./geo-arguments.ts";

/** What a command's name has decided. */
export interface SearchForm {
  /** Where its options begin. */
  readonly options: number;
  /** GEOSEARCH names centre and shape by options, the others by position. */
  readonly centre: "option" | "position" | "member";
  /** Where a result may be stored: by options STORE and STOREDIST, in the first key, or nowhere. */
  readonly store: "option" | "first-key" | "never";
}

export interface Search {
  readonly area: Area;
  /** Metres in the unit of the distances. */
  readonly unit: number;
  readonly sort: "none" | "asc" | "desc";
  /** Undefined for all. */
  readonly count: number | undefined;
  /** Any members will do, not the nearest. */
  readonly any: boolean;
  readonly withDistance: boolean;
  readonly withHash: boolean;
  readonly withPosition: boolean;
  readonly destination: string | undefined;
  readonly storesDistance: boolean;
}

type Draft = { -readonly [K in keyof Omit<Search, "area">]: Search[K] } & {
  centre: Position | undefined;
  centreSource: "position" | "member" | undefined;
  shape: Shape | undefined;
};

/** A centre that cannot be known because there is no set: nothing will be found, whatever it is. */
const NOWHERE: Position = { longitude: 0, latitude: 0 };
const NO_SHAPE: Shape = { kind: "circle", radius: 0 };

export function searchArguments(form: SearchForm, args: readonly string[], zset: SortedSetValue | undefined): Search {
  const draft: Draft = {
    centre: undefined,
    centreSource: undefined,
    shape: undefined,
    unit: 1,
    sort: "none",
    count: undefined,
    any: false,
    withDistance: false,
    withHash: false,
    withPosition: false,
    destination: form.store === "first-key" ? args[1] : undefined,
    storesDistance: false,
  };
  readCentreByPosition(form, args, zset, draft);
  for (let i = form.options; i < args.length; i += 1) i += readOption(form, args, i, zset, draft);
  refuseIncomplete(form, args, draft);
  const { centre = NOWHERE, centreSource: _, shape = NO_SHAPE, ...rest } = draft;
  return { area: { centre, shape }, ...rest };
}

/** `longitude latitude radius unit` or `member radius unit`, which without a set is not even looked at. */
function readCentreByPosition(
  form: SearchForm,
  args: readonly string[],
  zset: SortedSetValue | undefined,
  draft: Draft,
): void {
  if (form.centre === "option") return;
  if (form.centre === "position") draft.centre = positionArgument(args[2] ?? "", args[3] ?? "");
  else if (zset === undefined) return;
  else draft.centre = centreAt(zset, args[2] ?? "");
  readCircle(args, form.options - 2, draft);
}

function centreAt(zset: SortedSetValue, member: string): Position {
  return positionOfMember(zset, member) ?? fail("ERR could not decode requested zset member");
}

function readCircle(args: readonly string[], at: number, draft: Draft): void {
  const radius = doubleArgument(args[at] ?? "", "ERR need numeric radius");
  if (radius < 0) fail("ERR radius cannot be negative");
  draft.unit = unitArgument(args[at + 1] ?? "");
  draft.shape = { kind: "circle", radius: radius * draft.unit };
}

function readBox(args: readonly string[], at: number, draft: Draft): void {
  const width = doubleArgument(args[at] ?? "", "ERR need numeric width");
  const height = doubleArgument(args[at + 1] ?? "", "ERR need numeric height");
  if (width < 0 || height < 0) fail("ERR height or width cannot be negative");
  draft.unit = unitArgument(args[at + 2] ?? "");
  draft.shape = { kind: "box", width: width * draft.unit, height: height * draft.unit };
}

/** Reads the option at place `i`; returns how many further words it took. */
function readOption(
  form: SearchForm,
  args: readonly string[],
  i: number,
  zset: SortedSetValue | undefined,
  draft: Draft,
): number {
  const left = args.length - 1 - i;
  const option = args[i]?.toUpperCase();
  if (option === "WITHDIST") draft.withDistance = true;
  else if (option === "WITHHASH") draft.withHash = true;
  else if (option === "WITHCOORD") draft.withPosition = true;
  else if (option === "ANY") draft.any = true;
  else if (option === "ASC") draft.sort = "asc";
  else if (option === "DESC") draft.sort = "desc";
  else if (option === "COUNT" && left >= 1) {
    draft.count = integerArgument(args[i + 1] ?? "");
    if (draft.count <= 0) fail("ERR COUNT must be > 0");
    return 1;
  } else if ((option === "STORE" || option === "STOREDIST") && left >= 1 && form.store === "option") {
    draft.destination = args[i + 1];
    draft.storesDistance = option === "STOREDIST";
    return 1;
  } else if (option === "STOREDIST" && form.store === "first-key") draft.storesDistance = true;
  else if (form.centre === "option") return readAreaOption(option, left, args, i, zset, draft);
  else fail(SYNTAX);
  return 0;
}

function readAreaOption(
  option: string | undefined,
  left: number,
  args: readonly string[],
  i: number,
  zset: SortedSetValue | undefined,
  draft: Draft,
): number {
  if (option === "FROMMEMBER" && left >= 1 && draft.centreSource !== "position") {
    if (zset !== undefined) draft.centre = centreAt(zset, args[i + 1] ?? "");
    draft.centreSource = "member";
    return 1;
  }
  if (option === "FROMLONLAT" && left >= 2 && draft.centreSource !== "member") {
    draft.centre = positionArgument(args[i + 1] ?? "", args[i + 2] ?? "");
    draft.centreSource = "position";
    return 2;
  }
  if (option === "BYRADIUS" && left >= 2 && draft.shape?.kind !== "box") {
    readCircle(args, i + 1, draft);
    return 2;
  }
  if (option === "BYBOX" && left >= 3 && draft.shape?.kind !== "circle") {
    readBox(args, i + 1, draft);
    return 3;
  }
  return fail(SYNTAX);
}

function refuseIncomplete(form: SearchForm, args: readonly string[], draft: Draft): void {
  if (draft.destination !== undefined && (draft.withDistance || draft.withHash || draft.withPosition)) {
    const holder = form.store === "first-key" ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    fail(`ERR ${holder} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`);
  }
  if (form.centre === "option" && draft.centreSource === undefined) {
    fail(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${args[0]}`);
  }
  if (form.centre === "option" && draft.shape === undefined) {
    fail(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${args[0]}`);
  }
  if (draft.any && draft.count === undefined) fail("ERR the ANY argument requires COUNT argument");
}
