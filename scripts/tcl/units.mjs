/** Which units of the suite are in scope, what the harness must not run, and why a test may be missing. */

/** The name in the scoreboard and the harness's name of the unit, in the order of the table. */
export const UNITS = {
  string: "unit/type/string",
  incr: "unit/type/incr",
  hash: "unit/type/hash",
  list: "unit/type/list",
  "list-3": "unit/type/list-3",
  set: "unit/type/set",
  zset: "unit/type/zset",
  stream: "unit/type/stream",
  "stream-cgroups": "unit/type/stream-cgroups",
  keyspace: "unit/keyspace",
  scan: "unit/scan",
  sort: "unit/sort",
  expire: "unit/expire",
  multi: "unit/multi",
  scripting: "unit/scripting",
  functions: "unit/functions",
  pubsub: "unit/pubsub",
  tracking: "unit/tracking",
  bitops: "unit/bitops",
  bitfield: "unit/bitfield",
  geo: "unit/geo",
  hyperloglog: "unit/hyperloglog",
};

/** Together well under a minute: one of each kind, for every push. */
export const QUICK = ["string", "incr", "hash", "set", "scan", "multi", "expire"];

/**
 * Tests which mean nothing on the embedded server, hold up their unit or spoil the tests after them, by unit. In the harness's
 * notation: a name, or a regular expression after a slash. The real server runs them, so that each counts as missing.
 * @type {Record<string, { test: string, reason: string }[]>}
 */
export const SKIPPED = {
  // Left out by the unit itself where INFO names no jemalloc.
  string: [{ test: "trim on SET with big value", reason: "measures jemalloc through MEMORY, which is left for later" }],
};

/** What the harness says of a failed test, and what that means. The first that matches is taken. */
export const REASONS = [
  [/FUNCTION (DUMP|RESTORE) is not supported|can't read "(e|payload)"/, "FUNCTION DUMP and RESTORE are left for later"],
  [/DUMP is not supported|can't read "dump"/, "DUMP is left for later"],
  [/RESTORE is not supported/, "RESTORE is left for later"],
  [/unknown subcommand 'setuser'/i, "ACL rules are left for later"],
  [/OOM |invalidate volatile-key/, "eviction and maxmemory are left for later"],
];
