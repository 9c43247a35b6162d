/** EVAL, EVALSHA and SCRIPT. */
import { fail } from "../base/errors.ts";
import { integerArgument } from "../base/numbers.ts";
import { OK } from "../base/reply.ts";
import type { Runnable } from "../engine/scripting/scripts.ts";
import type { Session } from "../engine/session.ts";
import { type Command, container, help, is, subcommand } from "../engine/command.ts";
import { scriptCall, scriptCommand } from "./script-call.ts";

const NO_SCRIPT = "NOSCRIPT No matching script. Please use EVAL.";

export const scriptingCommands: readonly Command[] = [
  evaluator("eval", false, (ctx, source) => ctx.engine.scripts.load(source)),
  evaluator("eval_ro", true, (ctx, source) => ctx.engine.scripts.load(source)),
  evaluator("evalsha", false, (ctx, sha1) => ctx.engine.scripts.find(sha1) ?? fail(NO_SCRIPT)),
  evaluator("evalsha_ro", true, (ctx, sha1) => ctx.engine.scripts.find(sha1) ?? fail(NO_SCRIPT)),
  container("script", [
    subcommand({
      name: "load",
      arity: 3,
      flags: "noscript stale",
      category: "scripting",
      run: (ctx, [, , source]) => ctx.engine.scripts.load(source).name,
    }),
    subcommand({
      name: "exists",
      arity: -3,
      flags: "noscript",
      category: "scripting",
      run: (ctx, args) => args.slice(2).map((sha1) => (ctx.engine.scripts.find(sha1) === undefined ? 0 : 1)),
    }),
    subcommand({
      name: "flush",
      arity: -2,
      flags: "noscript",
      category: "scripting",
      run: (ctx, args) => {
        const plain = args.length === 2 || (args.length === 3 && (is(args[2], "SYNC") || is(args[2], "ASYNC")));
        if (!plain) fail("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        ctx.engine.scripts.flush();
        return OK;
      },
    }),
    subcommand({
      name: "kill",
      arity: 2,
      flags: "noscript allow_busy",
      category: "scripting",
      run: (ctx) => {
        ctx.engine.busy.kill("script");
        return OK;
      },
    }),
    help(
      "script",
      [
        "DEBUG (YES|SYNC|NO)",
        "    Set the debug mode for subsequent scripts executed.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Return information about the existence of the scripts in the script cache.",
        "FLUSH [ASYNC|SYNC]",
        "    Flush the Lua scripts cache. Very dangerous on replicas.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the scripts cache.",
        "    * SYNC: Synchronously flush the scripts cache.",
        "KILL",
        "    Kill the currently executing Lua script.",
        "LOAD <script>",
        "    Load a script into the scripts cache without executing it.",
      ],
      "scripting",
    ),
  ]),
];

function evaluator(name: string, readOnly: boolean, find: (ctx: Session, text: string) => Runnable): Command {
  return scriptCommand(name, readOnly, (ctx, args) => {
    const call = scriptCall(args, integerArgument(args[2]), readOnly);
    return ctx.engine.scripts.run(ctx, find(ctx, args[1]), call);
  });
}
