/** What the engine asks of the server, and how replies cross between them. */

/**
 * A reply of a command, or the result of a script. A string is a bulk string (binary: one char 0..255 per byte), null is
 * the null of the protocol in use, a boolean exists in RESP3 only, an array is an array.
 */
export type HostReply = null | number | bigint | string | boolean | HostReply[] | TaggedReply;

export type TaggedReply =
  | { readonly type: "status"; readonly value: string }
  | ErrorReply
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "bignum"; readonly value: string }
  | { readonly type: "verbatim"; readonly format: string; readonly value: string }
  | { readonly type: "map"; readonly entries: [HostReply, HostReply][] }
  | { readonly type: "set"; readonly items: HostReply[] };

export interface ErrorReply {
  readonly type: "error";
  /** The error with its code and without the leading minus: `WRONGTYPE Operation against ...`. */
  readonly value: string;
  /** The command that failed inside the script has counted this error already. */
  readonly counted?: boolean;
}

export interface LuaHost {
  /**
   * redis.call and redis.pcall. Errors are returned, never thrown; what is thrown ends the script uncaught.
   * @param protectedCall true for redis.pcall
   */
  call(args: string[], protectedCall: boolean): HostReply;
  /** redis.log, any level from 0 (debug) to 3 (warning); the host applies its own log level. */
  log(level: number, message: string): void;
  /** redis.setresp: the protocol in which `call` answers until the script ends. It begins as RESP2. */
  setResp(version: 2 | 3): void;
  /** redis.acl_check_cmd: may the script's caller run this; undefined when there is no such command. */
  aclCheck(args: string[]): boolean | undefined;
}

export interface ScriptLimits {
  /** Loop rounds and calls between two calls of onBudget; work on long strings counts too. @default 100000 */
  readonly budget?: number;
  /** Called each time a budget is used up. To stop the script it throws a ScriptInterrupt. @default does nothing */
  readonly onBudget?: () => void;
  /**
   * Called after onBudget; true pauses the script as soon as it can, which is anywhere but inside a function that a library calls
   * back (a comparator of `table.sort`, a metamethod; not pcall). The script is then begun again from its start, once, in a
   * form that can pause, and is given the replies it has had: no command is called twice. @default no pause
   */
  readonly pause?: () => boolean;
  /** By how many bytes the heap may grow while a script runs; measured once per budget. @default 512 MiB */
  readonly maxHeapGrowth?: number;
}
