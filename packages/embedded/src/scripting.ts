/** Lua scripts: the cache, the run, and what a script may call. The language itself is in `lua/`. */
import { createHash } from "node:crypto";
import type { Command } from "./commands/registry.ts";
import type { Engine } from "./engine.ts";
import { CommandError, fail } from "./errors.ts";
import { arityFits, call } from "./executor.ts";
import {
  type CompiledScript,
  createLuaEngine,
  LuaCompileError,
  type LuaEngine,
  type LuaHost,
  ScriptInterrupt,
} from "./lua/engine.ts";
import { BLOCKED, ErrorReply, NIL, type Reply } from "./reply.ts";
import { fromHost, type HostReply, toHost } from "./script-replies.ts";
import { type Outlet, Session } from "./session.ts";
import { type ScriptFlags, readShebang } from "./shebang.ts";

export interface Script {
  readonly sha1: string;
  readonly flags: ScriptFlags;
  readonly compiled: CompiledScript;
}

const READ_ONLY = new ErrorReply("ERR Write commands are not allowed from read-only scripts.");
const NOT_FROM_SCRIPT = new ErrorReply("ERR This Redis command is not allowed from script");
const WRONG_ARITY = new ErrorReply("ERR Wrong number of args calling Redis command from script");
const UNKNOWN = new ErrorReply("ERR Unknown Redis command called from script");
const KILLED = "ERR Script killed by user with SCRIPT KILL...";

/** A script's commands answer the script, not a client. */
const NOWHERE: Outlet = { address: "", localAddress: "", reply: ignore, push: ignore, resume: ignore, close: ignore };

export class Scripts implements LuaHost {
  private readonly engine: Engine;
  private readonly session: Session;
  private readonly bySha1 = new Map<string, Script>();
  private readonly bySource = new Map<string, Script>();
  /** One Lua state for all scripts, made with the first. */
  private lua: LuaEngine | undefined;
  private readOnly = false;

  constructor(engine: Engine) {
    this.engine = engine;
    this.session = new Session(engine, 0, NOWHERE, true);
    this.session.mayBlock = false;
    this.session.authenticated = true;
  }

  get size(): number {
    return this.bySha1.size;
  }

  find(sha1: string): Script | undefined {
    return this.bySha1.get(sha1.toLowerCase());
  }

  /** What the script of an EVAL or EVALSHA, in any form, says in its first line; undefined when it says nothing. */
  declaredFlags([command = "", script = ""]: readonly string[]): ScriptFlags | undefined {
    const name = command.toLowerCase();
    if (name.startsWith("evalsha")) return declared(this.find(script)?.flags);
    return name.startsWith("eval") && script.startsWith("#!") ? declared(flagsOf(script)) : undefined;
  }

  /** Compiles and keeps a script. */
  load(source: string): Script {
    const known = this.bySource.get(source);
    if (known !== undefined) return known;
    const { flags, length } = readShebang(source);
    const sha1 = sha1Of(source);
    this.lua ??= createLuaEngine();
    const script = { sha1, flags, compiled: compile(this.lua, source.slice(length), sha1) };
    this.bySource.set(source, script);
    this.bySha1.set(script.sha1, script);
    return script;
  }

  flush(): void {
    this.bySha1.clear();
    this.bySource.clear();
    this.lua = undefined;
  }

  /** Runs a script for a client. Its commands use the client's database and see one and the same time. */
  run(ctx: Session, script: Script, keys: string[], args: string[], readOnly: boolean): Reply {
    const { session, engine } = this;
    if (readOnly && script.flags.declared && !script.flags.noWrites) {
      fail("ERR Can not execute a script with write flag using *_ro command.");
    }
    this.readOnly = readOnly || script.flags.noWrites;
    session.db = ctx.db;
    session.resp = 2;
    session.user = ctx.user;
    engine.caller = { session: ctx, keys };
    try {
      const result = script.compiled.run(this, keys, args, { onBudget: this.timeGuard() });
      return fromHost(result);
    } finally {
      engine.caller = undefined;
    }
  }

  /**
   * Nobody can be heard while a script runs in this one thread, so no SCRIPT KILL can come: a script which is still running after
   * `busy-reply-threshold` is ended by itself. Measured in the process's own time, also under a virtual clock.
   */
  private timeGuard(): () => void {
    const limitMs = this.engine.config.number("busy-reply-threshold");
    const startMs = performance.now();
    return () => {
      if (limitMs > 0 && performance.now() - startMs > limitMs) throw new ScriptInterrupt(KILLED);
    };
  }

  // ---- what the script asks of the server

  call(args: string[]): HostReply {
    const command = this.engine.commands.find(args);
    const refusal = this.refusal(command, args);
    if (command === undefined || refusal !== undefined) return this.reject(command, refusal ?? UNKNOWN);
    return toHost(this.execute(command, args), this.session.resp);
  }

  private refusal(command: Command | undefined, args: readonly string[]): ErrorReply | undefined {
    if (command === undefined) return UNKNOWN;
    if (!arityFits(command, args)) return WRONG_ARITY;
    if (command.noScript) return NOT_FROM_SCRIPT;
    return this.readOnly && command.mayReplicate ? READ_ONLY : undefined;
  }

  private reject(command: Command | undefined, error: ErrorReply): HostReply {
    this.engine.stats.rejected(command?.fullName, error);
    return toHost(error, this.session.resp);
  }

  private execute(command: Command, args: readonly string[]): Reply {
    const { session } = this;
    session.lastCommand = command.fullName;
    const reply = call(session, command, args);
    return reply === BLOCKED ? NIL : reply;
  }

  log(): void {
    // A server inside another program keeps no log of its own.
  }

  setResp(version: 2 | 3): void {
    this.session.resp = version;
  }

  aclCheck(args: string[]): boolean | undefined {
    return this.engine.commands.find(args) === undefined ? undefined : true;
  }
}

function compile(lua: LuaEngine, source: string, sha1: string): CompiledScript {
  try {
    return lua.compile(source, sha1);
  } catch (error) {
    if (error instanceof LuaCompileError) return fail(`ERR ${error.message}`);
    throw error;
  }
}

function declared(flags: ScriptFlags | undefined): ScriptFlags | undefined {
  return flags?.declared === true ? flags : undefined;
}

/** Undefined when the first line is wrong. */
function flagsOf(source: string): ScriptFlags | undefined {
  try {
    return readShebang(source).flags;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

function sha1Of(source: string): string {
  return createHash("sha1").update(source, "latin1").digest("hex");
}

function ignore(): void {
  // See NOWHERE.
}
