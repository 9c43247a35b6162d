/** HyperLogLog: how many different elements there were, in at most 12 KB and with a standard error of 0.81%. */
import { fail, WRONG_TYPE, shown } from "../base/errors.ts";
import { countRanks, HyperLogLog } from "../hyperloglog/hyperloglog.ts";
import { REGISTERS } from "../hyperloglog/hash.ts";
import { selfTest } from "../hyperloglog/self-test.ts";
import { EVENT } from "../config/notifications.ts";
import { OK, type Reply, Status } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { Bytes } from "../values/bytes.ts";
import type { Value } from "../values/value.ts";
import { type Command, command } from "../engine/command.ts";

export const hyperLogLogCommands: readonly Command[] = [
  command({
    name: "pfadd",
    arity: -2,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "hyperloglog",
    run: (ctx, [, key, ...elements]) => add(ctx, key, elements),
  }),
  command({
    name: "pfcount",
    arity: -2,
    flags: "readonly",
    keys: [1, -1, 1],
    category: "hyperloglog",
    run: (ctx, [, key, ...others]) => (others.length === 0 ? count(ctx, key) : countUnion(ctx, [key, ...others])),
  }),
  command({
    name: "pfmerge",
    arity: -2,
    flags: "write denyoom",
    keys: [1, -1, 1],
    category: "hyperloglog",
    run: (ctx, [, destination, ...sources]) => merge(ctx, destination, sources),
  }),
  command({
    name: "pfdebug",
    arity: 3,
    flags: "write denyoom admin",
    keys: [2, 2, 1],
    category: "hyperloglog",
    run: (ctx, [, what, key]) => debug(ctx, what, key),
  }),
  command({
    name: "pfselftest",
    arity: 1,
    flags: "admin",
    category: "hyperloglog",
    run: () => {
      const failure = selfTest();
      return failure === undefined ? OK : fail(`TESTFAILED ${failure}`);
    },
  }),
];

function parse(value: Value): HyperLogLog {
  if (typeof value !== "string" && !(value instanceof Bytes)) return fail(WRONG_TYPE);
  return HyperLogLog.from(value) ?? fail("WRONGTYPE Key is not a valid HyperLogLog string value.");
}

function read(ctx: Session, key: string): HyperLogLog | undefined {
  const entry = ctx.db.read(key);
  return entry === undefined ? undefined : parse(entry.value);
}

function forWrite(ctx: Session, key: string): HyperLogLog | undefined {
  const entry = ctx.db.forWrite(key);
  return entry === undefined ? undefined : parse(entry.value);
}

/** Keeps the time to live of a key which is there. */
function save(ctx: Session, key: string, hll: HyperLogLog): void {
  const entry = ctx.db.find(key);
  if (entry === undefined) ctx.db.add(key, hll.toBytes());
  else entry.value = hll.toBytes();
}

function add(ctx: Session, key: string, elements: readonly string[]): Reply {
  const known = forWrite(ctx, key);
  const hll = known ?? HyperLogLog.empty();
  const limit = sparseLimit(ctx);
  let changed = known === undefined;
  try {
    for (const element of elements) if (hll.add(element, limit)) changed = true;
  } finally {
    // A damaged one may refuse an element; those before it stay.
    if (changed) {
      hll.invalidateCount();
      save(ctx, key, hll);
    }
  }
  if (!changed) return 0;
  ctx.db.changed(key, EVENT.string, "pfadd");
  return 1;
}

/** A new count is noted in the value, which changes it. */
function count(ctx: Session, key: string): Reply {
  const hll = read(ctx, key);
  if (hll === undefined) return 0;
  const known = hll.knownCount;
  if (known !== undefined) return known;
  const counted = hll.recount();
  save(ctx, key, hll);
  ctx.db.touched(key);
  return counted;
}

function countUnion(ctx: Session, keys: readonly string[]): Reply {
  const ranks = new Uint8Array(REGISTERS);
  for (const key of keys) read(ctx, key)?.raiseAll(ranks);
  return countRanks(ranks);
}

/** The destination is one of the sources. It becomes dense if one of them is. */
function merge(ctx: Session, destination: string, sources: readonly string[]): Reply {
  const ranks = new Uint8Array(REGISTERS);
  let dense = false;
  for (const key of [destination, ...sources]) {
    const source = read(ctx, key);
    source?.raiseAll(ranks);
    if (source?.representation === "dense") dense = true;
  }
  const hll = forWrite(ctx, destination) ?? HyperLogLog.empty();
  if (dense) hll.toDense();
  const limit = sparseLimit(ctx);
  ranks.forEach((rank, index) => {
    if (rank > 0) hll.raise(index, rank, limit);
  });
  hll.invalidateCount();
  save(ctx, destination, hll);
  ctx.db.changed(destination, EVENT.string, "pfadd");
  return OK;
}

function sparseLimit(ctx: Session): number {
  return ctx.engine.config.number("hll-sparse-max-bytes");
}

function debug(ctx: Session, what: string, key: string): Reply {
  const hll = forWrite(ctx, key) ?? fail("ERR The specified key does not exist");
  switch (what.toUpperCase()) {
    case "GETREG":
      if (hll.toDense()) save(ctx, key, hll);
      return [...hll.ranks()];
    case "DECODE":
      return hll.describe() ?? fail("ERR HLL encoding is not sparse");
    case "ENCODING":
      return new Status(hll.representation);
    case "TODENSE": {
      const converted = hll.toDense();
      if (converted) save(ctx, key, hll);
      return converted ? 1 : 0;
    }
    default:
      return fail(`ERR Unknown PFDEBUG subcommand '${shown(what)}'`);
  }
}
