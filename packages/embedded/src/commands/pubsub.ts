/** Publishing and subscribing: channels, patterns, shard channels. */
import { NIL, Push, type Reply, Several } from "../base/reply.ts";
import type { SubscriptionKind } from "../engine/pubsub.ts";
import type { Session } from "../engine/session.ts";
import { fail } from "../base/errors.ts";
import { type Command, command, container, help, subcommand } from "../engine/command.ts";

const SUBSCRIBING = "pubsub noscript loading stale";

export const pubSubCommands: readonly Command[] = [
  command({ name: "subscribe", arity: -2, flags: SUBSCRIBING, run: (ctx, args) => subscribe(ctx, "channel", args) }),
  command({ name: "psubscribe", arity: -2, flags: SUBSCRIBING, run: (ctx, args) => subscribe(ctx, "pattern", args) }),
  command({
    name: "ssubscribe",
    arity: -2,
    flags: SUBSCRIBING,
    keys: [1, -1, 1],
    run: (ctx, args) => subscribe(ctx, "shard", args),
  }),
  command({
    name: "unsubscribe",
    arity: -1,
    flags: SUBSCRIBING,
    run: (ctx, args) => unsubscribe(ctx, "channel", args),
  }),
  command({
    name: "punsubscribe",
    arity: -1,
    flags: SUBSCRIBING,
    run: (ctx, args) => unsubscribe(ctx, "pattern", args),
  }),
  command({
    name: "sunsubscribe",
    arity: -1,
    flags: SUBSCRIBING,
    keys: [1, -1, 1],
    run: (ctx, args) => unsubscribe(ctx, "shard", args),
  }),
  command({
    name: "publish",
    arity: 3,
    flags: "pubsub loading stale fast",
    run: (ctx, [, channel, message]) => {
      ctx.engine.cluster?.published(channel, message);
      return ctx.engine.pubsub.publish(channel, message);
    },
  }),
  command({
    name: "spublish",
    arity: 3,
    flags: "pubsub loading stale fast",
    keys: [1, 1, 1],
    run: (ctx, [, channel, message]) => ctx.engine.pubsub.publishToShard(channel, message),
  }),
  container("pubsub", [
    subcommand({
      name: "channels",
      arity: -2,
      flags: "pubsub loading stale",
      run: (ctx, args) => ctx.engine.pubsub.active("channel", onePattern(args)),
    }),
    subcommand({
      name: "shardchannels",
      arity: -2,
      flags: "pubsub loading stale",
      run: (ctx, args) => ctx.engine.pubsub.active("shard", onePattern(args)),
    }),
    subcommand({
      name: "numsub",
      arity: -2,
      flags: "pubsub loading stale",
      run: (ctx, args) => args.slice(2).flatMap((name) => [name, ctx.engine.pubsub.listeners("channel", name)]),
    }),
    subcommand({
      name: "shardnumsub",
      arity: -2,
      flags: "pubsub loading stale",
      run: (ctx, args) => args.slice(2).flatMap((name) => [name, ctx.engine.pubsub.listeners("shard", name)]),
    }),
    subcommand({
      name: "numpat",
      arity: 2,
      flags: "pubsub loading stale",
      run: (ctx) => ctx.engine.pubsub.count("pattern"),
    }),
    help("pubsub", [
      "CHANNELS [<pattern>]",
      "    Return the currently active channels matching a <pattern> (default: '*').",
      "NUMPAT",
      "    Return number of subscriptions to patterns.",
      "NUMSUB [<channel> ...]",
      "    Return the number of subscribers for the specified channels, excluding",
      "    pattern subscriptions(default: no channels).",
      "SHARDCHANNELS [<pattern>]",
      "    Return the currently active shard level channels matching a <pattern> (default: '*').",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    Return the number of subscribers for the specified shard level channel(s)",
    ]),
  ]),
];

const WORDS: Readonly<Record<SubscriptionKind, string>> = {
  channel: "subscribe",
  pattern: "psubscribe",
  shard: "ssubscribe",
};

function subscribe(ctx: Session, kind: SubscriptionKind, args: readonly string[]): Reply {
  // The others may be queued in a transaction, for the sake of old clients.
  if (kind === "shard" && !ctx.mayBlock) fail("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  return new Several(
    args.slice(1).map((name) => {
      ctx.engine.pubsub.subscribe(kind, name, ctx);
      return new Push([WORDS[kind], name, count(ctx, kind)]);
    }),
  );
}

/** Without names: all of the kind; where there is none, one answer says so. */
function unsubscribe(ctx: Session, kind: SubscriptionKind, args: readonly string[]): Reply {
  const word = WORDS[kind].replace("subscribe", "unsubscribe");
  const names = args.length > 1 ? args.slice(1) : [...ctx.subscriptions[kind]];
  if (names.length === 0) return new Several([new Push([word, NIL, count(ctx, kind)])]);
  return new Several(
    names.map((name) => {
      ctx.engine.pubsub.unsubscribe(kind, name, ctx);
      return new Push([word, name, count(ctx, kind)]);
    }),
  );
}

function count(ctx: Session, kind: SubscriptionKind): number {
  return kind === "shard" ? ctx.subscriptions.shard.size : ctx.subscriptionCount;
}

function onePattern(args: readonly string[]): string | undefined {
  if (args.length > 3) {
    fail(`ERR unknown subcommand or wrong number of arguments for '${args[1]}'. Try PUBSUB HELP.`);
  }
  return args[2];
}
