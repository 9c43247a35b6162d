/** From a command line to its answer: the checks Redis makes before a command, the call, and what follows it. */
import { redirection } from "./cluster.ts";
import { type Command, keysOf } from "./command.ts";
import { replyTo, shown, wrongArity } from "../base/errors.ts";
import { BLOCKED, type Blocked, ErrorReply, QUEUED, type Reply } from "../base/reply.ts";
import type { Session, Transaction } from "./session.ts";

const NO_AUTH = new ErrorReply("NOAUTH Authentication required.");
export const NO_REPLICAS: ErrorReply = new ErrorReply("NOREPLICAS Not enough good replicas to write.");
const NO_MULTI = new ErrorReply("ERR Command not allowed inside a transaction");
/** Run at once though a transaction is being collected. */
const NEVER_QUEUED = new Set(["exec", "discard", "multi", "watch", "quit", "reset"]);
/** A RESP2 client that subscribed may send nothing else. */
const SUBSCRIBER_COMMANDS = new Set([
  "ping",
  "subscribe",
  "ssubscribe",
  "unsubscribe",
  "sunsubscribe",
  "psubscribe",
  "punsubscribe",
  "quit",
  "reset",
]);

export function execute(session: Session, args: readonly string[]): void {
  const { engine } = session;
  engine.begin(session);
  const reply = attempt(session, args);
  if (reply !== BLOCKED) session.answer(reply);
  engine.afterCommand(session);
}

/** Whatever a client sends, and whatever this server makes of it, the process lives on. */
function attempt(session: Session, args: readonly string[]): Reply | Blocked {
  try {
    return process(session, args);
  } catch (error) {
    return replyTo(error, "command");
  }
}

function process(session: Session, args: readonly string[]): Reply | Blocked {
  const command = session.engine.commands.find(args);
  if (command === undefined) return reject(session, undefined, unknownCommand(session, args));
  session.lastCommand = command.fullName;
  const refusal = check(session, command, args);
  if (refusal !== undefined) return reject(session, command, refusal);
  if (session.engine.pause.holdsBack(session, command, args)) {
    session.engine.pause.postpone(session, args);
    return BLOCKED;
  }
  const elsewhere = redirection(session, command, args);
  if (elsewhere !== undefined) return reject(session, command, elsewhere);
  if (session.transaction !== undefined && !NEVER_QUEUED.has(command.name)) {
    if (!session.transaction.failed && !session.watchedKeyChanged) enqueue(session, session.transaction, command, args);
    return QUEUED;
  }
  return call(session, command, args);
}

function enqueue({ engine }: Session, transaction: Transaction, command: Command, args: readonly string[]): void {
  transaction.queue.push({ command, args });
  if (engine.scripts.mayReplicate(command, args)) transaction.mayReplicate = true;
}

function check(session: Session, command: Command, args: readonly string[]): ErrorReply | undefined {
  if (!arityFits(command, args)) return new ErrorReply(wrongArity(command.fullName));
  if (!session.authenticated && !command.noAuth) return NO_AUTH;
  if (session.transaction !== undefined && command.noMulti) return NO_MULTI;
  if (!session.engine.enoughReplicas && writes(session, command)) return NO_REPLICAS;
  if (session.resp === 2 && session.isSubscriber && !SUBSCRIBER_COMMANDS.has(command.name)) {
    return new ErrorReply(
      `ERR Can't execute '${command.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
  }
  return session.engine.busy.refusal(command);
}

function writes({ transaction }: Session, command: Command): boolean {
  if (command.name !== "exec") return command.isWrite;
  return transaction?.queue.some((queued) => queued.command.isWrite) ?? false;
}

export function arityFits(command: Command, args: readonly string[]): boolean {
  return command.arity < 0 ? args.length >= -command.arity : args.length === command.arity;
}

/** A command that could not even be queued spoils the transaction; an EXEC that may not run ends it. */
function reject(session: Session, command: Command | undefined, error: ErrorReply): ErrorReply {
  session.engine.stats.rejected(command?.fullName, error);
  if (command?.name === "exec") {
    session.discardTransaction();
    return new ErrorReply(`EXECABORT Transaction discarded because of: ${error.message.replace(/^ERR /, "")}`);
  }
  if (session.transaction !== undefined) session.transaction.failed = true;
  return error;
}

/** Runs a command which was checked; also for EXEC and for scripts. */
export function call(session: Session, command: Command, args: readonly string[]): Reply | Blocked {
  const { engine } = session;
  engine.stats.called(command.fullName);
  const monitored = engine.monitors.active;
  if (monitored && command.category === "scripting") engine.monitors.feed(session, command, args);
  try {
    const reply = command.run(session, args);
    if (monitored && command.category !== "scripting") engine.monitors.feed(session, command, args);
    if (reply instanceof ErrorReply) engine.stats.failed(command.fullName, reply);
    return reply;
  } catch (error) {
    const reply = replyTo(error, command.fullName);
    engine.stats.failed(command.fullName, reply);
    return reply;
  } finally {
    if (command.isRead && command.category !== "scripting") rememberReads(session, command, args);
  }
}

/** Client-side caching: who read what. A script that reads anything has read all the keys it declared. */
function rememberReads(session: Session, command: Command, args: readonly string[]): void {
  const { caller } = session.engine;
  const reader = caller?.session ?? session;
  const { tracking } = reader;
  if (tracking === undefined || tracking.broadcast) return;
  if (tracking.optIn ? !tracking.caching : tracking.optOut && tracking.caching) return;
  reader.engine.tracking.remember(reader, caller?.keys ?? keysOf(command, args));
}

const SHOWN = 128;

/** Redis's texts for a command or subcommand that does not exist. */
export function unknownCommand(session: Session, args: readonly string[]): ErrorReply {
  const name = args[0] ?? "";
  const holder = session.engine.commands.get(name);
  if (holder?.subcommands !== undefined && args[1] !== undefined) {
    const sub = shown(args[1]).slice(0, SHOWN);
    return new ErrorReply(`ERR unknown subcommand '${sub}'. Try ${name.toUpperCase()} HELP.`);
  }
  let words = "";
  for (const arg of args.slice(1)) if (words.length < SHOWN) words += `'${shown(arg).slice(0, SHOWN - words.length)}' `;
  return new ErrorReply(`ERR unknown command '${shown(name).slice(0, SHOWN)}', with args beginning with: ${words}`);
}
