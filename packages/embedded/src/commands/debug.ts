/** DEBUG: the few subcommands which tests need. */
import { fail, shown } from "../base/errors.ts";
import { doubleArgument, integerArgument } from "../base/numbers.ts";
import {
  BigNumber,
  type Blocked,
  Bool,
  Double,
  ErrorReply,
  MapReply,
  NIL,
  OK,
  Push,
  type Reply,
  SetReply,
  Several,
  Status,
  Verbatim,
} from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Command, container, subcommand } from "../engine/command.ts";

const FLAGS = "admin noscript loading stale";

export const debugCommands: readonly Command[] = [
  container("debug", [
    subcommand({
      name: "sleep",
      arity: 3,
      flags: FLAGS,
      run: (ctx, [, , seconds]) => sleep(ctx, doubleArgument(seconds)),
    }),
    subcommand({
      name: "set-active-expire",
      arity: 3,
      flags: FLAGS,
      run: (ctx, [, , active]) => {
        ctx.engine.expiry.setActive(integerArgument(active) !== 0);
        return OK;
      },
    }),
    subcommand({ name: "jmap", arity: 2, flags: FLAGS, run: () => OK }),
    subcommand({ name: "reload", arity: -2, flags: FLAGS, run: () => OK }),
    subcommand({ name: "change-repl-id", arity: 2, flags: FLAGS, run: () => OK }),
    subcommand({ name: "quicklist-packed-threshold", arity: 3, flags: FLAGS, run: () => OK }),
    subcommand({ name: "stringmatch-len", arity: -2, flags: FLAGS, run: () => OK }),
    subcommand({ name: "set-disable-deny-scripts", arity: 3, flags: FLAGS, run: () => OK }),
    subcommand({ name: "replybuffer", arity: -3, flags: FLAGS, run: () => OK }),
    subcommand({ name: "log", arity: 3, flags: FLAGS, run: () => OK }),
    subcommand({ name: "error", arity: 3, flags: FLAGS, run: (_ctx, [, , message]) => new ErrorReply(shown(message)) }),
    subcommand({ name: "protocol", arity: 3, flags: FLAGS, run: (_ctx, [, , name]) => sample(name.toLowerCase()) }),
  ]),
];

/** Everybody waits, as on a server whose one thread sleeps; but here the clock decides how long that is. */
function sleep(ctx: Session, seconds: number): Reply | Blocked {
  ctx.engine.pause.start(ctx.nowMs + Math.round(seconds * 1000), "all");
  return ctx.block({
    keys: [],
    timeoutMs: Math.max(1, Math.round(seconds * 1000)),
    timeoutReply: OK,
    serve: () => undefined,
  });
}

/** Redis sends this, not pi. */
const SAMPLE_DOUBLE = 3141 / 1000;
const THREE: readonly Reply[] = [0, 1, 2];

/** One reply of each kind, for tests of clients. */
const SAMPLES: ReadonlyMap<string, Reply> = new Map<string, Reply>([
  ["string", "Hello World"],
  ["integer", 12345],
  ["double", new Double(SAMPLE_DOUBLE)],
  ["null", NIL],
  ["array", THREE],
  ["set", new SetReply(THREE)],
  ["map", new MapReply(THREE.flatMap((i) => [i, new Bool(i === 1)]))],
  ["push", new Several([new Push(["server-cpu-usage", 42]), new Status("OK")])],
  ["bignum", new BigNumber("1234567999999999999999999999999999999")],
  ["true", new Bool(true)],
  ["false", new Bool(false)],
  ["verbatim", new Verbatim("txt", "This is a verbatim\nstring")],
]);

function sample(name: string): Reply {
  return (
    SAMPLES.get(name) ??
    fail(
      "ERR Wrong protocol type name. Please use one of the following: string|integer|double|null|array|set|map|attrib|push|verbatim|true|false",
    )
  );
}
