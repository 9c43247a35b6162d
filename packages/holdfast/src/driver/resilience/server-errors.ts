/** What each error of a server means to a caller: the code, what to do, and whether the same call may succeed later. */
import type { Call, TransportError } from "../port.ts";
import { type ErrorCode, HoldfastError, ServerError } from "../../base/errors.ts";

interface Meaning {
  readonly code: ErrorCode;
  readonly advice: string;
  /** Nothing was executed, and the cause can pass. */
  readonly retryable: boolean;
}

function passing(code: ErrorCode, advice: string): Meaning {
  return { code, advice: `${advice}; not executed`, retryable: true };
}

function lasting(code: ErrorCode, advice: string): Meaning {
  return { code, advice, retryable: false };
}

const UNKNOWN = lasting("SERVER", "the server refused the command");
const NOT_ENCODED = lasting("INVALID_ARGUMENT", "the command could not be encoded; arguments are strings or Buffers");
const NO_PERMISSION = lasting("PERMISSION", "the user may not do this; grant it with ACL SETUSER");
const UNKNOWN_COMMAND = lasting("UNSUPPORTED", "this server does not know the command; it needs a newer version");

/** What a script may not do has no NOPERM: the first is the text of Redis 7.0, the second that of all since. */
const NO_PERMISSION_IN_SCRIPT = /^ERR (?:The user executing the script can't|ACL failure in script)/;
/** `Unknown Redis command called from script` is what a script's command gets. */
const UNKNOWN_TO_SERVER = /^ERR unknown (?:(?:redis |valkey |server )?command|subcommand)/i;

const MEANINGS: Readonly<Record<string, Meaning>> = {
  NOAUTH: lasting("AUTH", "the server asks for a password; give `username` and `password` in the URL or the options"),
  WRONGPASS: lasting("AUTH", "wrong user name or password, or the user is disabled on the server"),
  NOPERM: NO_PERMISSION,
  WRONGTYPE: lasting("WRONG_TYPE", "the key holds another type of data; another program or primitive uses its name"),
  OOM: passing("SERVER_FULL", "server out of memory; check maxmemory and the eviction policy"),
  MISCONF: passing("SERVER", "the server takes no writes because it cannot save to disk; check its disk and its log"),
  READONLY: passing(
    "UNAVAILABLE",
    "this node is a replica; connect to the primary, or by redis-sentinel:// or redis-cluster://",
  ),
  BUSY: passing("UNAVAILABLE", "the server is busy with a slow script; SCRIPT KILL ends it"),
  LOADING: passing("UNAVAILABLE", "the server is still loading its data"),
  CLUSTERDOWN: passing("UNAVAILABLE", "the cluster does not serve this slot; check CLUSTER INFO"),
  MASTERDOWN: passing("UNAVAILABLE", "the replica has lost its primary and may not serve old data"),
  NOREPLICAS: passing("UNAVAILABLE", "too few replicas are connected for the server to take writes"),
  TRYAGAIN: passing("UNAVAILABLE", "the keys are on their way to another node"),
  MOVED: passing("UNAVAILABLE", "the slot is served by another node"),
  ASK: passing("UNAVAILABLE", "the slot is on its way to another node"),
  CROSSSLOT: lasting("SERVER", "the keys of one command lie in several slots; build them with one hash tag"),
};

/** What a caller should do about an error that begins with `prefix`. */
export function adviceFor(prefix: string): string | undefined {
  return meaningOf(prefix)?.advice;
}

/**
 * The typed error for a server's final word, or for the reason why no connection to it can be made.
 * @param command first word of what was sent, such as `EVALSHA`
 */
export function serverError(failure: TransportError, call: Call, command: string): HoldfastError {
  const { cause: reason } = failure;
  if (reason instanceof HoldfastError) {
    const details = { op: call.op, key: call.key, retryable: reason.retryable, cause: reason };
    return new HoldfastError(reason.code, `${call.op}: ${reason.message}; it was not executed`, details);
  }
  const { code, advice, retryable } = interpret(failure);
  const about = call.key === undefined ? command : `${command} on ${JSON.stringify(call.key)}`;
  const message = `${call.op}: ${advice} (${about}: ${failure.message})`;
  return new ServerError(code, failure.prefix, message, { op: call.op, key: call.key, retryable, cause: failure });
}

function interpret(failure: TransportError): Meaning {
  if (failure.prefix === "") return NOT_ENCODED;
  if (NO_PERMISSION_IN_SCRIPT.test(failure.message)) return NO_PERMISSION;
  if (UNKNOWN_TO_SERVER.test(failure.message)) return UNKNOWN_COMMAND;
  return meaningOf(failure.prefix) ?? UNKNOWN;
}

function meaningOf(prefix: string): Meaning | undefined {
  return Object.hasOwn(MEANINGS, prefix) ? MEANINGS[prefix] : undefined;
}
