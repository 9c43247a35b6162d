/** Geo: positions kept as scores of a sorted set. `geo-search.ts` finds what is near. */
import { fail, SYNTAX } from "../base/errors.ts";
import { distance } from "../geo/distance.ts";
import { geohashText, scoreAt } from "../geo/geohash.ts";
import { NIL, NIL_ARRAY, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type ScoredMember, SortedSetValue } from "../values/sorted-set.ts";
import { distanceReply, positionArgument, positionOfMember, positionReply, unitArgument } from "./geo-arguments.ts";
import { type Args, type Command, command } from "../engine/command.ts";
import { type AddOptions, addMembers, NO_OPTIONS } from "./sorted-sets-add.ts";

export const geoCommands: readonly Command[] = [
  command({
    name: "geoadd",
    arity: -5,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "geo",
    run: (ctx, args) => add(ctx, args),
  }),
  command({
    name: "geopos",
    arity: -2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "geo",
    run: (ctx, [, key, ...members]) => {
      const zset = ctx.db.readAs(key, SortedSetValue);
      return members.map((member) => {
        const position = zset === undefined ? undefined : positionOfMember(zset, member);
        return position === undefined ? NIL_ARRAY : positionReply(position);
      });
    },
  }),
  command({
    name: "geohash",
    arity: -2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "geo",
    run: (ctx, [, key, ...members]) => {
      const zset = ctx.db.readAs(key, SortedSetValue);
      return members.map((member) => {
        const score = zset?.score(member);
        return score === undefined ? NIL : geohashText(score);
      });
    },
  }),
  command({
    name: "geodist",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "geo",
    run: (ctx, args) => distanceBetween(ctx, args),
  }),
];

/** `GEOADD key [NX|XX] [CH] longitude latitude member [...]` */
function add(ctx: Session, args: Args<-5>): Reply {
  let options: AddOptions = NO_OPTIONS;
  let next = 2;
  for (; next < args.length; next += 1) {
    const option = args[next]?.toUpperCase();
    if (option === "NX") options = { ...options, onlyNew: true };
    else if (option === "XX") options = { ...options, onlyKnown: true };
    else if (option === "CH") options = { ...options, countChanged: true };
    else break;
  }
  const words = args.length - next;
  if (words === 0 || words % 3 !== 0 || (options.onlyNew && options.onlyKnown)) fail(SYNTAX);
  const pairs: ScoredMember[] = [];
  for (let i = next; i < args.length; i += 3) {
    pairs.push([scoreAt(positionArgument(args[i] ?? "", args[i + 1] ?? "")), args[i + 2] ?? ""]);
  }
  return addMembers(ctx, args[1], pairs, options);
}

function distanceBetween(ctx: Session, args: Args<-4>): Reply {
  const [, key, one, other, unitText] = args;
  const unit = args.length === 5 ? unitArgument(unitText ?? "") : 1;
  if (args.length > 5) fail(SYNTAX);
  const zset = ctx.db.readAs(key, SortedSetValue);
  if (zset === undefined) return NIL;
  const from = positionOfMember(zset, one);
  const to = positionOfMember(zset, other);
  return from === undefined || to === undefined ? NIL : distanceReply(distance(from, to) / unit);
}
