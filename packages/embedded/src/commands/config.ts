/** CONFIG. */
import { fail, shown, SYNTAX } from "../base/errors.ts";
import { matches } from "../base/glob.ts";
import { MapReply, OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Command, container, help, subcommand } from "../engine/command.ts";

const FLAGS = "admin noscript loading stale";

export const configCommands: readonly Command[] = [
  container("config", [
    subcommand({ name: "get", arity: -3, flags: FLAGS, run: (ctx, args) => get(ctx, args.slice(2)) }),
    subcommand({ name: "set", arity: -4, flags: FLAGS, run: (ctx, args) => set(ctx, args) }),
    subcommand({
      name: "resetstat",
      arity: 2,
      flags: FLAGS,
      run: (ctx) => {
        ctx.engine.stats.reset();
        return OK;
      },
    }),
    subcommand({
      name: "rewrite",
      arity: 2,
      flags: FLAGS,
      run: () => fail("ERR The server is running without a config file"),
    }),
    help("config", [
      "GET <pattern>",
      "    Return parameters matching the glob-like <pattern> and their values.",
      "SET <directive> <value>",
      "    Set the configuration <directive> to <value>.",
      "RESETSTAT",
      "    Reset statistics reported by the INFO command.",
      "REWRITE",
      "    Rewrite the configuration file.",
    ]),
  ]),
];

function get(ctx: Session, patterns: readonly string[]): Reply {
  const { config } = ctx.engine;
  const found: string[] = [];
  for (const name of config.names()) {
    const asked = patterns.find((pattern) => matches(pattern, name, true));
    if (asked !== undefined) found.push(/[[*?]/.test(asked) ? name : asked, config.shown(name));
  }
  return new MapReply(found);
}

function set(ctx: Session, args: readonly string[]): Reply {
  if (args.length % 2 !== 0) fail(SYNTAX);
  const changes = new Map<string, string>();
  for (let i = 2; i < args.length; i += 2) {
    const name = (args[i] as string).toLowerCase();
    if (changes.has(name)) {
      fail(`ERR CONFIG SET failed (possibly related to argument '${shown(name)}') - duplicate parameter`);
    }
    changes.set(name, args[i + 1] as string);
  }
  const problem = ctx.engine.config.set(changes);
  if (problem === undefined) return OK;
  if (problem.reason === "unknown") {
    const given = args.find((arg) => arg.toLowerCase() === problem.name) ?? "";
    return fail(`ERR Unknown option or number of arguments for CONFIG SET - '${shown(given)}'`);
  }
  return fail(`ERR CONFIG SET failed (possibly related to argument '${problem.name}') - ${problem.reason}`);
}
