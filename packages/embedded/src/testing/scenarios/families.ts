/** The families of commands that a scenario mixes: their syntax, and keys on which each mostly works. */
import { type Placeholders, Syntax } from "../grammar.ts";
import { bitmapPlaceholders, bitmapSyntax } from "../grammars/bitmaps.ts";
import { clientPlaceholders, clientSyntax } from "../grammars/clients.ts";
import { geoPlaceholders, geoSyntax } from "../grammars/geo.ts";
import { hashPlaceholders, hashSyntax } from "../grammars/hashes.ts";
import { hyperLogLogPlaceholders, hyperLogLogSyntax } from "../grammars/hyperloglog.ts";
import { flushSyntax, keyPlaceholders, keySyntax } from "../grammars/keys.ts";
import { listPlaceholders, listSyntax } from "../grammars/lists.ts";
import { pubSubPlaceholders, pubSubSyntax, subscriberSyntax } from "../grammars/pubsub.ts";
import { setPlaceholders, setSyntax } from "../grammars/sets.ts";
import { sortPlaceholders, sortSyntax } from "../grammars/sort.ts";
import { sortedSetPlaceholders, sortedSetSyntax } from "../grammars/sorted-sets.ts";
import { streamPlaceholders, streamSyntax } from "../grammars/streams.ts";
import { stringPlaceholders, stringSyntax } from "../grammars/strings.ts";
import type { SeededRandom } from "../../base/random.ts";
import { SHORT_MILLISECONDS, SHORT_SECONDS } from "./waits.ts";

export interface Family {
  readonly syntaxes: readonly Syntax[];
  readonly placeholders: Placeholders;
}

const OWN_KEYS = {
  strings: ["s", "s2"],
  bitmaps: ["b", "s"],
  hashes: ["h", "h2"],
  lists: ["l", "l2"],
  sets: ["a", "ab"],
  sortedSets: ["z", "z2"],
  streams: ["x1", "x2"],
  hyperLogLogs: ["p", "p2"],
  geo: ["g", "z"],
} as const;
/** Here every family meets every other. */
const SHARED_KEYS = ["x", "y", "", "\xff\x00"];
export const ALL_KEYS: readonly string[] = [...new Set([...Object.values(OWN_KEYS).flat(), ...SHARED_KEYS])];

export type DataFamily = keyof typeof OWN_KEYS | "keys" | "sort";
export type FamilyName = DataFamily | "clients" | "pubSub" | "flushes" | "subscribers";

const compile = (notations: readonly string[]): Syntax[] => notations.map((notation) => new Syntax(notation));

/** Compiled once; the placeholders of streams remember, so a scenario has its own. */
const SYNTAXES = {
  strings: compile(stringSyntax),
  bitmaps: compile(bitmapSyntax),
  hashes: compile(hashSyntax),
  lists: compile(listSyntax),
  sets: compile(setSyntax),
  sortedSets: compile(sortedSetSyntax),
  streams: compile([
    ...streamSyntax,
    "XREAD [COUNT count] BLOCK wait STREAMS (key|key key) ($|$ $|0-0|position position)",
    "XREADGROUP GROUP group consumer [COUNT count] BLOCK wait [NOACK] STREAMS key history",
    "XREADGROUP GROUP group consumer BLOCK wait STREAMS key key > >",
    "XGROUP CREATE key group position MKSTREAM",
    "XGROUP CREATE key group position MKSTREAM",
  ]),
  hyperLogLogs: compile(hyperLogLogSyntax),
  geo: compile(geoSyntax),
  keys: compile(keySyntax),
  sort: compile(sortSyntax),
  clients: compile(clientSyntax),
  pubSub: compile(pubSubSyntax),
  flushes: compile(flushSyntax),
  subscribers: compile(subscriberSyntax),
} satisfies Record<FamilyName, Syntax[]>;

export const DATA_FAMILIES = [
  ...(Object.keys(OWN_KEYS) as (keyof typeof OWN_KEYS)[]),
  "keys",
  "sort",
] as const satisfies readonly DataFamily[];

/** What most commands of a family need to find something. */
export const BEGINNINGS: Readonly<Record<DataFamily, readonly string[]>> = {
  strings: ["SET s 10", "SET s2 ohmytext EX 1000000"],
  bitmaps: ["SET b abc"],
  hashes: ["HSET h f 1 g text", "HSET h2 1 2 -7 x"],
  lists: ["RPUSH l x y z 1 22", "RPUSH l2 1 2 3"],
  sets: ["SADD a 1 2 3", "SADD ab a b 1 2"],
  sortedSets: ["ZADD z 1 m 2 n 3 o", "ZADD z2 0.5 m inf p -1 1"],
  streams: [
    "XADD x1 0-1 a 1 b 2",
    "XADD x1 0-2 a 3 b 4",
    "XGROUP CREATE x1 g1 0",
    "XGROUP CREATE x2 g1 $ MKSTREAM",
    "XGROUP CREATE x1 g2 0-1",
    "XGROUP CREATE x2 g2 0 MKSTREAM",
    "XREADGROUP GROUP g1 alice COUNT 1 STREAMS x1 >",
  ],
  hyperLogLogs: ["PFADD p a b c", "PFADD p2 c d"],
  geo: ["GEOADD g 13.361389 38.115556 p1 15.087269 37.502669 p2 -122.4 37.7 p3"],
  keys: ["SET x 1", "RPUSH y 1 2"],
  sort: ["RPUSH l 3 1 2", "MSET w_1 30 w_2 10 w_3 20", "HSET h1 f 5"],
};

/** @param short whether a wait may end by itself */
export function families(peer: (random: SeededRandom) => string, short: () => boolean): Record<FamilyName, Family> {
  const waiting: Placeholders = {
    timeout: (random) =>
      random.chance(0.1) ? random.pick(["-1", "x", "1e30", "nan", "1e400"]) : wait(random, short, SHORT_SECONDS),
    wait: (random) => (random.chance(0.05) ? random.pick(["-1", "x", ""]) : wait(random, short, SHORT_MILLISECONDS)),
  };
  const of = (name: FamilyName, own: readonly string[], placeholders: Placeholders): Family => ({
    syntaxes: SYNTAXES[name],
    placeholders: { ...placeholders, ...waiting, key: (random) => keyOf(random, own), peer },
  });
  const zKey = (random: SeededRandom): string => keyOf(random, OWN_KEYS.sortedSets);
  return {
    strings: of("strings", OWN_KEYS.strings, stringPlaceholders),
    bitmaps: of("bitmaps", OWN_KEYS.bitmaps, bitmapPlaceholders),
    hashes: of("hashes", OWN_KEYS.hashes, hashPlaceholders),
    lists: of("lists", OWN_KEYS.lists, listPlaceholders),
    sets: of("sets", OWN_KEYS.sets, setPlaceholders),
    sortedSets: of("sortedSets", OWN_KEYS.sortedSets, sortedSetPlaceholders(zKey)),
    streams: of("streams", OWN_KEYS.streams, streamPlaceholders()),
    hyperLogLogs: of("hyperLogLogs", OWN_KEYS.hyperLogLogs, hyperLogLogPlaceholders),
    geo: of("geo", OWN_KEYS.geo, { ...geoPlaceholders, stored: zKey }),
    keys: of("keys", ALL_KEYS, keyPlaceholders),
    sort: of("sort", ["l", "a", "z"], sortPlaceholders),
    clients: of("clients", ALL_KEYS, clientPlaceholders),
    pubSub: of("pubSub", ALL_KEYS, pubSubPlaceholders),
    flushes: of("flushes", ALL_KEYS, keyPlaceholders),
    subscribers: of("subscribers", ALL_KEYS, pubSubPlaceholders),
  };
}

function wait(random: SeededRandom, short: () => boolean, brief: string): string {
  return short() && random.chance(0.2) ? brief : "0";
}

function keyOf(random: SeededRandom, own: readonly string[]): string {
  if (random.chance(0.8)) return random.pick(own);
  return random.pick(random.chance(0.6) ? SHARED_KEYS : ALL_KEYS);
}
