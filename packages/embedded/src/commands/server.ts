/** The server itself: INFO, time, and polite answers where there is nothing to do. */
import { fail, SYNTAX } from "../base/errors.ts";
import { int64Argument } from "../base/numbers.ts";
import { NO_REPLY, OK, Status, Verbatim } from "../base/reply.ts";
import { millisecondsArgument } from "./arguments.ts";
import { infoText } from "./info.ts";
import { type Command, command, is } from "../engine/command.ts";

const SHUTDOWN_WORDS = new Set(["NOSAVE", "SAVE", "NOW", "FORCE", "ABORT"]);

export const serverCommands: readonly Command[] = [
  command({
    name: "info",
    arity: -1,
    flags: "loading stale",
    category: "dangerous",
    run: (ctx, args) => new Verbatim("txt", infoText(ctx.engine, args.slice(1))),
  }),
  command({
    name: "time",
    arity: 1,
    flags: "loading stale fast",
    run: (ctx) => {
      const micros = ctx.engine.clock.nowMicros();
      return [String(Math.floor(micros / 1e6)), String(micros % 1e6)];
    },
  }),
  command({
    name: "monitor",
    arity: 1,
    flags: "admin noscript loading stale",
    run: (ctx) => {
      ctx.engine.monitors.add(ctx);
      return OK;
    },
  }),
  command({
    name: "wait",
    arity: 3,
    flags: "noscript",
    category: "connection",
    run: (ctx, [, replicas, timeout]) => {
      const wanted = BigInt(int64Argument(replicas));
      const timeoutMs = millisecondsArgument(timeout);
      // Redis keeps 32 bits of the number.
      if (wanted <= 0 || BigInt.asIntN(32, wanted) <= 0) return 0;
      return ctx.block({ keys: [], timeoutMs, timeoutReply: 0, serve: () => undefined });
    },
  }),
  command({
    name: "role",
    arity: 1,
    flags: "noscript loading stale fast",
    category: "admin dangerous",
    run: () => ["master", 0, []],
  }),
  command({
    name: "lastsave",
    arity: 1,
    flags: "loading stale fast",
    category: "admin dangerous",
    run: (ctx) => Math.floor((ctx.engine.stats.savedAtMs || ctx.engine.startedAtMs) / 1000),
  }),
  command({
    name: "save",
    arity: 1,
    flags: "admin noscript no_async_loading no_multi",
    run: (ctx) => {
      ctx.engine.stats.savedAtMs = ctx.nowMs;
      return OK;
    },
  }),
  command({
    name: "bgsave",
    arity: -1,
    flags: "admin noscript no_async_loading",
    run: (ctx, args) => {
      if (args.length > 2 || (args.length === 2 && !is(args[1], "SCHEDULE"))) fail(SYNTAX);
      ctx.engine.stats.savedAtMs = ctx.nowMs;
      return new Status("Background saving started");
    },
  }),
  command({
    name: "shutdown",
    arity: -1,
    flags: "admin noscript loading stale no_multi allow_busy",
    run: (ctx, args) => {
      const words = new Set(args.slice(1).map((word) => word.toUpperCase()));
      if ([...words].some((word) => !SHUTDOWN_WORDS.has(word))) fail(SYNTAX);
      if ((words.has("ABORT") && words.size > 1) || (words.has("SAVE") && words.has("NOSAVE"))) fail(SYNTAX);
      if (words.has("ABORT")) fail("ERR No shutdown in progress.");
      if (!words.has("NOSAVE")) ctx.engine.busy.refuseShutdown();
      ctx.engine.onShutdown();
      return NO_REPLY;
    },
  }),
  command({
    name: "bgrewriteaof",
    arity: 1,
    flags: "admin noscript no_async_loading",
    run: () => new Status("Background append only file rewriting started"),
  }),
  command({
    name: "dump",
    arity: 2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "keyspace",
    run: () => fail("ERR DUMP is not supported by the embedded server"),
  }),
  command({
    name: "restore",
    arity: -4,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "keyspace dangerous",
    run: () => fail("ERR RESTORE is not supported by the embedded server"),
  }),
];
