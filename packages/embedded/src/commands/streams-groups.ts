/** XGROUP and XACK: consumer groups, and the acknowledgement of what they have delivered. */
import { fail, shown } from "../base/errors.ts";
import { int64Argument } from "../base/numbers.ts";
import { OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { Consumer, type Counter, Group } from "../values/stream-group.ts";
import { MIN_ID } from "../values/stream-id.ts";
import { StreamValue } from "../values/stream.ts";
import { type Command, command, container, help, is, subcommand } from "../engine/command.ts";
import { boundArgument, changedQuietly, idArgument } from "./streams-arguments.ts";

const NO_STREAM =
  "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.";

export const streamGroupCommands: readonly Command[] = [
  container("xgroup", [
    subcommand({
      name: "create",
      arity: -5,
      flags: "write denyoom",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, args) => create(ctx, args),
    }),
    subcommand({
      name: "setid",
      arity: -5,
      flags: "write",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, args) => setId(ctx, args),
    }),
    subcommand({
      name: "destroy",
      arity: 4,
      flags: "write",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, [, , key, name]) => destroy(ctx, key, name),
    }),
    subcommand({
      name: "createconsumer",
      arity: 5,
      flags: "write denyoom",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, [, , key, name, consumer]) => createConsumer(ctx, key, groupAt(ctx, key, name), consumer),
    }),
    subcommand({
      name: "delconsumer",
      arity: 5,
      flags: "write",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, [, , key, name, consumer]) => deleteConsumer(ctx, key, groupAt(ctx, key, name), consumer),
    }),
    help(
      "xgroup",
      [
        "CREATE <key> <groupname> <id|$> [option]",
        "    Create a new consumer group. Options are:",
        "    * MKSTREAM",
        "      Create the empty stream if it does not exist.",
        "    * ENTRIESREAD entries_read",
        "      Set the group's entries_read counter (internal use).",
        "CREATECONSUMER <key> <groupname> <consumer>",
        "    Create a new consumer in the specified group.",
        "DELCONSUMER <key> <groupname> <consumer>",
        "    Remove the specified consumer.",
        "DESTROY <key> <groupname>",
        "    Remove the specified group.",
        "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
        "    Set the current group ID and entries_read counter.",
      ],
      "stream",
    ),
  ]),
  command({
    name: "xack",
    arity: -4,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, [, key, name, ...texts]) => acknowledge(ctx, key, name, texts),
  }),
];

function create(ctx: Session, args: readonly [string, string, string, string, string, ...string[]]): Reply {
  const [, , key, name, id] = args;
  const { entriesRead, makeStream } = groupOptions(args, true);
  const known = ctx.db.getAs(key, StreamValue);
  if (known === undefined && !makeStream) fail(NO_STREAM);
  if (args.length > 8) refuse(args);
  const lastId = id === "$" ? (known?.lastId ?? MIN_ID) : idArgument(id);
  if (known?.groups.get(name) !== undefined) fail("BUSYGROUP Consumer Group name already exists");
  const stream = known ?? new StreamValue();
  if (known === undefined) {
    ctx.db.add(key, stream);
    ctx.db.touched(key);
  }
  stream.groups.add(new Group(name, lastId, entriesRead));
  changedQuietly(ctx, key, "xgroup-create");
  return OK;
}

function setId(ctx: Session, args: readonly [string, string, string, string, string, ...string[]]): Reply {
  const [, , key, name, id] = args;
  const { entriesRead } = groupOptions(args, false);
  const stream = streamAt(ctx, key);
  const group = groupAt(ctx, key, name);
  if (args.length > 7) refuse(args);
  group.lastId = id === "$" ? stream.lastId : boundArgument(id);
  group.entriesRead = entriesRead;
  changedQuietly(ctx, key, "xgroup-setid");
  return OK;
}

interface GroupOptions {
  readonly entriesRead: Counter | undefined;
  readonly makeStream: boolean;
}

function groupOptions(args: readonly string[], creating: boolean): GroupOptions {
  let entriesRead: Counter | undefined;
  let makeStream = false;
  for (let i = 5; i < args.length; i += 1) {
    const value = args[i + 1];
    if (creating && is(args[i], "MKSTREAM")) makeStream = true;
    else if (is(args[i], "ENTRIESREAD") && value !== undefined) {
      const given = int64Argument(value);
      if (given < -1) fail("ERR value for ENTRIESREAD must be positive or -1");
      entriesRead = given === -1 ? undefined : given;
      i += 1;
    } else refuse(args);
  }
  return { entriesRead, makeStream };
}

function refuse(args: readonly string[]): never {
  return fail(`ERR unknown subcommand or wrong number of arguments for '${args[1]}'. Try XGROUP HELP.`);
}

function destroy(ctx: Session, key: string, name: string): Reply {
  const stream = streamAt(ctx, key);
  if (stream.groups.delete(name) === undefined) return 0;
  stream.revision += 1;
  changedQuietly(ctx, key, "xgroup-destroy");
  if (ctx.db.waiters.has(key)) ctx.engine.blocked.signal(ctx.db, key);
  return 1;
}

function createConsumer(ctx: Session, key: string, group: Group, name: string): Reply {
  if (group.consumers.get(name) !== undefined) return 0;
  group.consumers.add(new Consumer(name, ctx.nowMs));
  changedQuietly(ctx, key, "xgroup-createconsumer");
  return 1;
}

/** Answers how many entries were pending for it; they are lost. */
function deleteConsumer(ctx: Session, key: string, group: Group, name: string): Reply {
  const consumer = group.consumers.get(name);
  if (consumer === undefined) return 0;
  group.removeConsumer(consumer);
  changedQuietly(ctx, key, "xgroup-delconsumer");
  return consumer.pending.size;
}

function streamAt(ctx: Session, key: string): StreamValue {
  return ctx.db.getAs(key, StreamValue) ?? fail(NO_STREAM);
}

function groupAt(ctx: Session, key: string, name: string): Group {
  return (
    streamAt(ctx, key).groups.get(name) ??
    fail(`NOGROUP No such consumer group '${shown(name)}' for key name '${shown(key)}'`)
  );
}

function acknowledge(ctx: Session, key: string, name: string, texts: readonly string[]): Reply {
  const group = ctx.db.readAs(key, StreamValue)?.groups.get(name);
  if (group === undefined) return 0;
  const ids = texts.map(idArgument);
  const acknowledged = ids.filter((id) => group.acknowledge(id)).length;
  ctx.engine.stats.changes += acknowledged;
  return acknowledged;
}
