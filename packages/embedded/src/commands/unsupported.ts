/**
 * Families of a later version. What a client asks on its own, and what has a truthful empty answer, is answered; the rest
 * is refused as Redis refuses what it does not know.
 */
import type { Entry } from "../engine/database.ts";
import { fail } from "../base/errors.ts";
import { rangeArgument } from "../base/numbers.ts";
import { NIL, OK, type Reply } from "../base/reply.ts";
import { Collection } from "../values/value.ts";
import { type Command, command, container, subcommand } from "../engine/command.ts";
import type { Session } from "../engine/session.ts";

const NO_CLUSTER = "ERR This instance has cluster support disabled";

/** By arity. */
const CLUSTER: Readonly<Record<string, readonly string[]>> = {
  "2": ["info", "links", "myid", "nodes", "shards", "slots"],
  "3": ["countkeysinslot", "keyslot"],
  "4": ["getkeysinslot"],
  "-2": ["reset"],
};

export const unsupportedCommands: readonly Command[] = [
  container("acl", [
    subcommand({ name: "whoami", arity: 2, flags: "noscript loading stale", run: (ctx) => ctx.user.name }),
    subcommand({
      name: "users",
      arity: 2,
      flags: "admin noscript loading stale",
      run: (ctx) => ctx.engine.users.names(),
    }),
  ]),
  container(
    "cluster",
    Object.entries(CLUSTER).flatMap(([arity, names]) =>
      names.map((name) =>
        subcommand({
          name,
          arity: Number(arity) as 2,
          flags: name === "reset" ? "admin noscript stale" : "stale",
          run: (ctx, args) => inCluster(ctx, name, args),
        }),
      ),
    ),
  ),
  ...["asking", "readonly", "readwrite"].map((name) =>
    command({
      name,
      arity: 1,
      flags: name === "asking" ? "fast" : "loading stale fast",
      category: "connection",
      run: (ctx) => {
        if (ctx.engine.cluster === undefined) return fail(NO_CLUSTER);
        if (name === "asking") ctx.asking = true;
        return OK;
      },
    }),
  ),
  container("module", [subcommand({ name: "list", arity: 2, flags: "admin noscript", run: () => [] })]),
  container("memory", [
    subcommand({
      name: "usage",
      arity: -3,
      flags: "readonly",
      keys: [2, 2, 1],
      run: (ctx, [, , key]) => {
        const entry = ctx.db.find(key);
        return entry === undefined ? NIL : estimate(entry);
      },
    }),
  ]),
  container("slowlog", [
    subcommand({
      name: "get",
      arity: -2,
      flags: "admin loading stale",
      run: (_ctx, [, , count = "10"]) => {
        rangeArgument(count, -1, Number.MAX_SAFE_INTEGER, "ERR count should be greater than or equal to -1");
        return [];
      },
    }),
    subcommand({ name: "len", arity: 2, flags: "admin loading stale", run: () => 0 }),
    subcommand({ name: "reset", arity: 2, flags: "admin loading stale", run: () => OK }),
  ]),
  container("latency", [
    subcommand({ name: "latest", arity: 2, flags: "admin noscript loading stale", run: () => [] }),
    subcommand({ name: "reset", arity: -2, flags: "admin noscript loading stale", run: () => 0 }),
  ]),
];

/** What clients ask to find their way. */
function inCluster({ engine: { cluster } }: Session, name: string, args: readonly string[]): Reply {
  if (cluster === undefined) return fail(NO_CLUSTER);
  if (name === "keyslot") return cluster.slotOf(args[2] ?? "");
  if (name !== "slots") return fail(`ERR CLUSTER ${name.toUpperCase()} is not supported by this server`);
  return cluster.ranges().map(({ first, last, host, port, id }) => [first, last, [host, port, id, []]]);
}

/** Bytes of an entry's own bookkeeping, and of one element's. */
const ENTRY_OVERHEAD = 56;
const ELEMENT_OVERHEAD = 64;

/** Bytes, roughly: V8 does not say how much an object takes. */
function estimate({ key, value }: Entry): number {
  const content = value instanceof Collection ? value.size * ELEMENT_OVERHEAD : value.length;
  return ENTRY_OVERHEAD + key.length + content;
}
