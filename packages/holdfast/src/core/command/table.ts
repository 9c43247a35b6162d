/**
 * What is known of the server's commands: whether a lost answer lets one be repeated, and where its keys stand.
 * A command that is not here counts as `unsafe`, with its key in the first place: never repeated, and sent to one node.
 */
import type { OpClass } from "../../driver/port.ts";

type Names = ReadonlySet<string>;

const names = (list: string): Names => new Set(list.split(" "));

/** They change nothing. */
const READS = names(
  "BITCOUNT BITFIELD_RO BITPOS CLUSTERSCAN COMMAND DBSIZE DUMP ECHO EVALSHA_RO EVAL_RO EXISTS EXPIRETIME FCALL_RO GEODIST GEOHASH GEOPOS " +
    "GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HEXPIRETIME HGET HGETALL HKEYS HLEN HMGET HPEXPIRETIME " +
    "HPTTL HRANDFIELD HSCAN HSTRLEN HTTL HVALS INFO KEYS LASTSAVE LCS LINDEX LLEN LOLWUT LPOS LRANGE MEMORY MGET OBJECT PEXPIRETIME PFCOUNT PING PTTL PUBSUB " +
    "RANDOMKEY ROLE SCAN SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN STRLEN " +
    "SUBSTR SUNION TIME TOUCH TTL TYPE VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS VRANDMEMBER VSIM XINFO XLEN XPENDING XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD " +
    "ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE " +
    "ZREVRANK ZSCAN ZSCORE ZUNION",
);

/** Sent twice they leave the state that they leave when sent once, though a repeat may answer otherwise (DEL: 0). */
const IDEMPOTENT = names(
  "DEL EXPIRE EXPIREAT GEOADD GETEX HDEL HMSET HSET LSET MSET PERSIST PEXPIRE PEXPIREAT PFADD PFMERGE PSETEX SADD SET " +
    "SETBIT SETEX SETRANGE SREM UNLINK XACK XDEL ZADD ZREM ZREMRANGEBYLEX ZREMRANGEBYSCORE",
);

/** A condition, or an answer about what was there before: a repeat would find its own first try. */
const CONDITIONS = names("CH GET GT IFDEQ IFDNE IFEQ IFNE INCR LT NX XX");

/** How many arguments of an idempotent command with conditions come before them. */
const BEFORE_CONDITIONS: Readonly<Record<string, number>> = {
  SET: 2,
  ZADD: 1,
  GEOADD: 1,
  EXPIRE: 2,
  EXPIREAT: 2,
  PEXPIRE: 2,
  PEXPIREAT: 2,
};

/** They hold up whoever else uses the connection. XREAD and XREADGROUP do with BLOCK. */
const BLOCKING = names("BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF");

/** They change what the connection is, for all that use it. */
const CONNECTION = names(
  "ASKING AUTH DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE REPLCONF RESET SELECT " +
    "SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WATCH",
);
const CLIENT_STATE = names("CACHING NO-EVICT NO-TOUCH REPLY SETNAME TRACKING");

/** No key at all. */
const KEYLESS = names(
  "ACL BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG ECHO FAILOVER FLUSHALL FLUSHDB FUNCTION INFO KEYS " +
    "LASTSAVE LATENCY LOLWUT MODULE PING PUBLISH PUBSUB RANDOMKEY REPLICAOF ROLE SAVE SCAN SCRIPT SHUTDOWN SLAVEOF SLOWLOG " +
    "SWAPDB TIME",
);
/** Every argument is a key. */
const ALL_KEYS = names(
  "DEL EXISTS MGET PFCOUNT PFMERGE SDIFF SDIFFSTORE SINTER SINTERSTORE SUNION SUNIONSTORE TOUCH UNLINK WATCH",
);
/** Every other argument is. */
const PAIRS = names("MSET MSETNX");
const TWO_KEYS = names("BLMOVE BRPOPLPUSH COPY GEOSEARCHSTORE LCS LMOVE RENAME RENAMENX RPOPLPUSH SMOVE ZRANGESTORE");
/** The first argument says what is asked of the second, which is a key. */
const SUBCOMMANDS = names("BITOP MEMORY OBJECT XGROUP XINFO");
/** A count of keys, then the keys; the number is how many arguments stand before the count. */
const COUNTED: Readonly<Record<string, number>> = {
  EVAL: 1,
  EVALSHA: 1,
  EVALSHA_RO: 1,
  EVAL_RO: 1,
  FCALL: 1,
  FCALL_RO: 1,
  LMPOP: 0,
  SINTERCARD: 0,
  ZDIFF: 0,
  ZINTER: 0,
  ZINTERCARD: 0,
  ZMPOP: 0,
  ZUNION: 0,
};

/** What may be done when the answer is lost. `args` are those after the name, `name` is in capitals. */
export function classOf(name: string, args: readonly unknown[]): OpClass {
  if (READS.has(name)) return "read";
  if (!IDEMPOTENT.has(name)) return "unsafe";
  const before = BEFORE_CONDITIONS[name];
  const conditional = before !== undefined && args.slice(before).some((arg) => CONDITIONS.has(word(arg)));
  return conditional ? "unsafe" : "idempotent";
}

/** The keys among the arguments; for a command that is not known, the first one. */
export function keysOf<Arg>(name: string, args: readonly Arg[]): readonly Arg[] {
  if (KEYLESS.has(name)) return [];
  if (ALL_KEYS.has(name)) return args;
  if (PAIRS.has(name)) return args.filter((_, at) => at % 2 === 0);
  if (TWO_KEYS.has(name)) return args.slice(0, 2);
  if (name === "BITOP") return args.slice(1);
  if (SUBCOMMANDS.has(name)) return args.slice(1, 2);
  if (name === "XREAD" || name === "XREADGROUP") return streamsOf(args);
  const before = Object.hasOwn(COUNTED, name) ? COUNTED[name] : undefined;
  if (before === undefined) return args.slice(0, 1);
  return args.slice(before + 1, before + 1 + Number(args[before]));
}

/** Whether its keys are known for certain, and not only by custom. */
export function isKnown(name: string): boolean {
  return [READS, IDEMPOTENT, ALL_KEYS, PAIRS, WRITES].some((set) => set.has(name)) || Object.hasOwn(COUNTED, name);
}

/** Further writes whose only key is the first argument, or whose keys the lists above name. */
const WRITES = names(
  "APPEND BITFIELD BITOP COPY DECR DECRBY GETDEL GETSET HINCRBY HINCRBYFLOAT HSETNX INCR INCRBY INCRBYFLOAT LINSERT LMOVE LPOP " +
    "LPUSH LPUSHX LREM LTRIM RENAME RENAMENX RPOP RPOPLPUSH RPUSH RPUSHX SETNX SMOVE SPOP SPUBLISH XADD XAUTOCLAIM XCLAIM " +
    "XTRIM ZINCRBY ZPOPMAX ZPOPMIN ZREMRANGEBYRANK",
);

/** Half of what follows STREAMS; the other half are ids. */
function streamsOf<Arg>(args: readonly Arg[]): readonly Arg[] {
  const from = args.findIndex((arg) => word(arg) === "STREAMS") + 1;
  return from === 0 ? [] : args.slice(from, from + (args.length - from) / 2);
}

export function isBlocking(name: string, args: readonly unknown[]): boolean {
  if (name === "XREAD" || name === "XREADGROUP") return args.some((arg) => word(arg) === "BLOCK");
  return BLOCKING.has(name);
}

export function changesConnection(name: string, args: readonly unknown[]): boolean {
  return CONNECTION.has(name) || (name === "CLIENT" && CLIENT_STATE.has(word(args[0])));
}

function word(arg: unknown): string {
  return typeof arg === "string" ? arg.toUpperCase() : "";
}
