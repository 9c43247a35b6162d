/** What EVAL, EVALSHA and FCALL have in common: `name what number-of-keys key... argument...`. */
import { fail } from "../base/errors.ts";
import type { Blocked, Reply } from "../base/reply.ts";
import type { ScriptCall } from "../engine/scripting/scripts.ts";
import type { Session } from "../engine/session.ts";
import { type Command, command, countedKeys } from "../engine/command.ts";

export type ScriptCallArguments = readonly [name: string, what: string, keyCount: string, ...string[]];

const FLAGS = "noscript stale skip_monitor no_mandatory_keys";

export function scriptCommand(
  name: string,
  readOnly: boolean,
  run: (ctx: Session, args: ScriptCallArguments) => Reply | Blocked,
): Command {
  return command({
    name,
    arity: -3,
    flags: readOnly ? `readonly ${FLAGS}` : FLAGS,
    keys: countedKeys(2),
    category: "scripting",
    run,
  });
}

export function scriptCall(command: ScriptCallArguments, keyCount: number, readOnly: boolean): ScriptCall {
  if (keyCount > command.length - 3) fail("ERR Number of keys can't be greater than number of args");
  if (keyCount < 0) fail("ERR Number of keys can't be negative");
  return { command, keys: command.slice(3, 3 + keyCount), argv: command.slice(3 + keyCount), readOnly };
}
