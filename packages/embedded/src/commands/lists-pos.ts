/** LPOS: the places of an element in a list. */
import { fail, SYNTAX } from "../base/errors.ts";
import { integerArgument, rangeArgument } from "../base/numbers.ts";
import { NIL } from "../base/reply.ts";
import { ListValue } from "../values/list.ts";
import { type Command, command } from "../engine/command.ts";

const MAX = 2 ** 63;
const ZERO_RANK =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list";

export const listPositionCommands: readonly Command[] = [
  command({
    name: "lpos",
    arity: -3,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, args) => {
      const options = optionsOf(args);
      const list = ctx.db.readAs(args[1], ListValue);
      const places = list === undefined ? [] : placesOf(list, args[2], options);
      return options.count === undefined ? (places[0] ?? NIL) : places;
    },
  }),
];

interface Options {
  /** The first match that counts; negative ones count from the end of the list. */
  readonly rank: number;
  /** The most places to return, 0 for all; undefined for one place instead of an array. */
  readonly count: number | undefined;
  /** The most elements to look at, 0 for all. */
  readonly maxLength: number;
}

function optionsOf(args: readonly string[]): Options {
  let rank = 1;
  let count: number | undefined;
  let maxLength = 0;
  for (let i = 3; i < args.length; i += 2) {
    const value = args[i + 1] ?? fail(SYNTAX);
    const option = args[i]?.toUpperCase();
    if (option === "RANK") rank = integerArgument(value) || fail(ZERO_RANK);
    else if (option === "COUNT") count = rangeArgument(value, 0, MAX, "ERR COUNT can't be negative");
    else if (option === "MAXLEN") maxLength = rangeArgument(value, 0, MAX, "ERR MAXLEN can't be negative");
    else fail(SYNTAX);
  }
  return { rank, count, maxLength };
}

function placesOf({ items }: ListValue, item: string, { rank, count = 1, maxLength }: Options): number[] {
  const places: number[] = [];
  const looked = maxLength === 0 ? items.size : Math.min(maxLength, items.size);
  const most = count === 0 ? Infinity : count;
  let skipped = Math.abs(rank) - 1;
  for (let i = 0; i < looked && places.length < most; i += 1) {
    const place = rank > 0 ? i : items.size - 1 - i;
    if (items.at(place) !== item) continue;
    if (skipped > 0) skipped -= 1;
    else places.push(place);
  }
  return places;
}
