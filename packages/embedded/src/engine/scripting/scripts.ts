/** Lua scripts: the cache, the run, and what a script may call. The language itself is in `lua/`. */
import { createHash } from "node:crypto";
import { type BusyRun, RunTimer } from "./busy.ts";
import type { Command } from "../command.ts";
import type { Engine } from "../engine.ts";
import { CommandError, fail } from "../../base/errors.ts";
import { arityFits, call, NO_REPLICAS } from "../executor.ts";
import {
  type CompiledScript,
  createLuaEngine,
  LuaCompileError,
  type LuaEngine,
  type LuaHost,
  PausedScript,
} from "../../lua/engine.ts";
import { BLOCKED, type Blocked, ErrorReply, NIL, type Reply } from "../../base/reply.ts";
import { fromHost, type HostReply, toHost } from "./replies.ts";
import { type Outlet, Session } from "../session.ts";
import { type ScriptFlags, readShebang } from "./shebang.ts";

/** What a client can have run: a script or a function. */
export interface Runnable {
  readonly kind: BusyRun["kind"];
  /** A script's SHA-1. */
  readonly name: string;
  readonly flags: ScriptFlags;
  readonly compiled: CompiledScript;
}

/** How a client called it. */
export interface ScriptCall {
  /** The whole command line. */
  readonly command: readonly string[];
  readonly keys: string[];
  readonly argv: string[];
  /** By EVAL_RO and its like. */
  readonly readOnly: boolean;
}

const READ_ONLY = new ErrorReply("ERR Write commands are not allowed from read-only scripts.");
const NOT_FROM_SCRIPT = new ErrorReply("ERR This Redis command is not allowed from script");
const WRONG_ARITY = new ErrorReply("ERR Wrong number of args calling Redis command from script");
const UNKNOWN = new ErrorReply("ERR Unknown Redis command called from script");

/** A script's commands answer the script, not a client. */
const NOWHERE: Outlet = { address: "", localAddress: "", reply: ignore, push: ignore, resume: ignore, close: ignore };

export class Scripts implements LuaHost {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #bySha1 = new Map<string, Runnable>();
  readonly #bySource = new Map<string, Runnable>();
  /** One Lua state for all scripts, made with the first. */
  #lua: LuaEngine | undefined;
  readonly #timer = new RunTimer();
  #readOnly = false;
  /** The running script has called a write command. */
  #written = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#session = new Session(engine, 0, NOWHERE, true);
    this.#session.mayBlock = false;
    this.#session.authenticated = true;
  }

  get size(): number {
    return this.#bySha1.size;
  }

  find(sha1: string): Runnable | undefined {
    return this.#bySha1.get(sha1.toLowerCase());
  }

  /** Whether a command may write; for a script or function it is what that says of itself, if anything. */
  mayReplicate(command: Command, args: readonly string[]): boolean {
    const declared = command.category === "scripting" ? this.#declaredFlags(args) : undefined;
    return declared === undefined ? command.mayReplicate : !declared.noWrites;
  }

  /** What a script says in its first line, or its library of a function, that a command calls; undefined when it says nothing. */
  #declaredFlags([command = "", script = ""]: readonly string[]): ScriptFlags | undefined {
    const name = command.toLowerCase();
    if (name.startsWith("fcall")) return this.#engine.functions.find(script)?.flags;
    if (name.startsWith("evalsha")) return declared(this.find(script)?.flags);
    return name.startsWith("eval") && script.startsWith("#!") ? declared(flagsOf(script)) : undefined;
  }

  /** Compiles and keeps a script. */
  load(source: string): Runnable {
    const known = this.#bySource.get(source);
    if (known !== undefined) return known;
    const { flags, length } = readShebang(source);
    const sha1 = sha1Of(source);
    const lua = (this.#lua ??= createLuaEngine());
    const script: Runnable = {
      kind: "script",
      name: sha1,
      flags,
      compiled: compiled(() => lua.compile(source.slice(length), sha1)),
    };
    this.#bySource.set(source, script);
    this.#bySha1.set(sha1, script);
    return script;
  }

  flush(): void {
    this.#bySha1.clear();
    this.#bySource.clear();
    this.#lua = undefined;
  }

  /**
   * Runs a script or a function for a client. Its commands use the client's database and see one and the same time. One that
   * takes longer than `busy-reply-threshold` goes on while the client waits.
   */
  run(ctx: Session, script: Runnable, { command, keys, argv, readOnly }: ScriptCall): Reply | Blocked {
    const session = this.#session;
    const engine = this.#engine;
    if (readOnly && script.flags.declared && !script.flags.noWrites) {
      fail("ERR Can not execute a script with write flag using *_ro command.");
    }
    if (!engine.enoughReplicas && script.flags.declared && !script.flags.noWrites) fail(NO_REPLICAS.message);
    this.#readOnly = readOnly || script.flags.noWrites;
    this.#written = false;
    session.db = ctx.db;
    session.resp = 2;
    session.user = ctx.user;
    const caller = { session: ctx, keys };
    const thresholdMs = engine.config.number("busy-reply-threshold");
    engine.caller = caller;
    try {
      if (thresholdMs === 0) return fromHost(script.compiled.run(this, keys, argv));
      const timer = this.#timer;
      timer.beginRun(thresholdMs);
      const outcome = script.compiled.start(this, keys, argv, timer);
      if (!(outcome instanceof PausedScript)) return fromHost(outcome);
      const { kind, name } = script;
      return engine.busy.begin({
        kind,
        name,
        command,
        caller,
        timer,
        paused: outcome,
        hasWritten: () => this.#written,
      });
    } finally {
      engine.caller = undefined;
    }
  }

  // ---- what the script asks of the server

  call(args: string[]): HostReply {
    const command = this.#engine.commands.find(args);
    const refusal = this.#refusal(command, args);
    if (command === undefined || refusal !== undefined) return this.#reject(command, refusal ?? UNKNOWN);
    return toHost(this.#execute(command, args), this.#session.resp);
  }

  #refusal(command: Command | undefined, args: readonly string[]): ErrorReply | undefined {
    if (command === undefined) return UNKNOWN;
    if (!arityFits(command, args)) return WRONG_ARITY;
    if (command.noScript) return NOT_FROM_SCRIPT;
    if (this.#readOnly && command.mayReplicate) return READ_ONLY;
    return command.isWrite && !this.#engine.enoughReplicas ? NO_REPLICAS : undefined;
  }

  #reject(command: Command | undefined, error: ErrorReply): HostReply {
    this.#engine.stats.rejected(command?.fullName, error);
    return toHost(error, this.#session.resp);
  }

  #execute(command: Command, args: readonly string[]): Reply {
    const session = this.#session;
    session.lastCommand = command.fullName;
    if (command.isWrite) this.#written = true;
    const reply = call(session, command, args);
    return reply === BLOCKED ? NIL : reply;
  }

  log(): void {
    // A server inside another program keeps no log of its own.
  }

  setResp(version: 2 | 3): void {
    this.#session.resp = version;
  }

  aclCheck(args: string[]): boolean | undefined {
    return this.#engine.commands.find(args) === undefined ? undefined : true;
  }
}

/** The result of compiling or loading; what the language refuses is the command's answer. */
export function compiled<T>(step: () => T): T {
  try {
    return step();
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
