/** The few commands that tests of the language itself call; everything else is refused as a server refuses it. */
import { createLuaEngine, type HostReply, type LuaHost, type ScriptLimits } from "../engine.ts";

const WRONG_ARITY: HostReply = { type: "error", value: "ERR Wrong number of args calling Redis command from script" };
const UNKNOWN: HostReply = { type: "error", value: "ERR Unknown Redis command called from script" };

export class CommandHost implements LuaHost {
  readonly logged: [level: number, message: string][] = [];
  resp: 2 | 3 = 2;
  readonly #replies: Readonly<Record<string, HostReply>>;

  /** @param replies fixed replies of further commands, by name */
  constructor(replies: Readonly<Record<string, HostReply>> = {}) {
    this.#replies = replies;
  }

  call(args: string[]): HostReply {
    const [name = "", first] = args;
    switch (name.toUpperCase()) {
      case "ECHO":
        return args.length === 2 ? first! : WRONG_ARITY;
      case "PING":
        return args.length > 2 ? WRONG_ARITY : (first ?? { type: "status", value: "PONG" });
      case "GET":
        return args.length === 2 ? null : WRONG_ARITY;
      case "MGET":
        return args.length === 1 ? WRONG_ARITY : args.slice(1).map(() => null);
      default:
        return this.#replies[name] ?? UNKNOWN;
    }
  }

  log(level: number, message: string): void {
    this.logged.push([level, message]);
  }

  setResp(version: 2 | 3): void {
    this.resp = version;
  }

  aclCheck([name]: string[]): boolean | undefined {
    return name?.toUpperCase() === "GET" ? true : undefined;
  }
}

export interface RunOptions {
  readonly host?: LuaHost;
  readonly keys?: readonly string[];
  readonly argv?: readonly string[];
  readonly limits?: ScriptLimits;
}

/** Runs one script in a Lua state of its own, under the SHA-1 `sha`. */
export function run(source: string, options: RunOptions = {}): HostReply {
  const { host = new CommandHost(), keys = [], argv = [], limits = {} } = options;
  return createLuaEngine().compile(source, "sha").run(host, keys, argv, limits);
}

/** The text of the error that a script ends with. */
export function errorOf(source: string, options: RunOptions = {}): string {
  const reply = run(source, options);
  if (typeof reply === "object" && reply !== null && "type" in reply && reply.type === "error") return reply.value;
  throw new Error(`no error but ${JSON.stringify(reply)}`);
}
