import { describe, expect, it } from "vitest";
import { TransportError } from "../port.ts";
import { adviceFor, serverError } from "./server-errors.ts";

const CALL = { op: "box.put", class: "idempotent", key: "k1" } as const;

function errorOf(message: string): ReturnType<typeof serverError> {
  return serverError(new TransportError("replied", message, { prefix: message.split(" ")[0]! }), CALL, "SET");
}

describe("a server's error", () => {
  it.each([
    ["NOAUTH Authentication required.", "AUTH", "give `username` and `password`", false],
    ["WRONGPASS invalid username-password pair or user is disabled.", "AUTH", "wrong user name or password", false],
    ["NOPERM No permissions to access a key", "PERMISSION", "ACL SETUSER", false],
    ["ERR The user executing the script can't run this command or subcommand", "PERMISSION", "ACL SETUSER", false],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "WRONG_TYPE", "another type", false],
    ["OOM command not allowed when used memory > 'maxmemory'.", "SERVER_FULL", "not executed", true],
    ["MISCONF Redis is configured to save RDB snapshots", "SERVER", "check its disk", true],
    ["READONLY You can't write against a read only replica.", "UNAVAILABLE", "is a replica", true],
    ["BUSY Redis is busy running a script.", "UNAVAILABLE", "SCRIPT KILL", true],
    ["CROSSSLOT Keys in request don't hash to the same slot", "SERVER", "hash tag", false],
    ["ERR unknown command 'HEXPIRE', with args beginning with: ", "UNSUPPORTED", "newer version", false],
    ["ERR Unknown subcommand or wrong number of arguments for 'X'", "UNSUPPORTED", "newer version", false],
    ["ERR syntax error", "SERVER", "refused the command", false],
    ["constructor is not a word of a server", "SERVER", "refused the command", false],
  ] as const)("%s becomes %s", (message, code, advice, retryable) => {
    const error = errorOf(message);
    expect(error).toMatchObject({ code, op: "box.put", key: "k1", retryable, prefix: message.split(" ")[0] });
    expect(error.message).toContain(advice);
    expect(error.message).toContain(message);
    expect(error.message).toContain('SET on "k1"');
  });

  // The texts of Redis 7.0 and 8, Valkey 8 and 9: as they are, and as a script hands them on.
  const IN_SCRIPT = [" script: 7df2bc1b, on @user_script:1.", " script: on @user_script:1."];
  it.each([
    ["ERR The user executing the script can't run this command or subcommand", "PERMISSION"],
    ["ERR The user executing the script can't access at least one of the keys mentioned", "PERMISSION"],
    ["ERR The user executing the script can't publish to the channel mentioned in the command", "PERMISSION"],
    ["ERR ACL failure in script: User app has no permissions to run the 'set' command", "PERMISSION"],
    ["ERR ACL failure in script: No permissions to access a key", "PERMISSION"],
    ["ERR ACL failure in script: No permissions to access a channel", "PERMISSION"],
    ["NOPERM No permissions to access a channel", "PERMISSION"],
    ["NOPERM User app has no permissions to access the 'k' key", "PERMISSION"],
    ["NOPERM this user has no permissions to run the 'set' command", "PERMISSION"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "WRONG_TYPE"],
    ["OOM command not allowed when used memory > 'maxmemory'.", "SERVER_FULL"],
    ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", "SERVER"],
    ["MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to disk.", "SERVER"],
    ["MISCONF Errors writing to the AOF file: No space left on device", "SERVER"],
    ["NOREPLICAS Not enough good replicas to write.", "UNAVAILABLE"],
    ["READONLY You can't write against a read only replica.", "UNAVAILABLE"],
    ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "UNAVAILABLE"],
    ["BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "UNAVAILABLE"],
    ["LOADING Redis is loading the dataset in memory", "UNAVAILABLE"],
    ["LOADING Valkey is loading the dataset in memory", "UNAVAILABLE"],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "UNAVAILABLE"],
    ["CLUSTERDOWN Hash slot not served", "UNAVAILABLE"],
    ["NOSCRIPT No matching script. Please use EVAL.", "SERVER"],
    ["ERR Unknown Redis command called from script", "UNSUPPORTED"],
    ["ERR Unknown command called from script", "UNSUPPORTED"],
    ["ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.", "UNSUPPORTED"],
    ["ERR unknown command 'HSETEX', with args beginning with: ", "UNSUPPORTED"],
  ] as const)("%s becomes %s, alone and in a script", (message, code) => {
    expect(errorOf(message).code).toBe(code);
    for (const suffix of IN_SCRIPT) expect(errorOf(message + suffix).code).toBe(code);
  });

  it("is told apart from a command that could not be encoded", () => {
    const failure = new TransportError("replied", "arguments must be strings or Buffers");
    expect(serverError(failure, CALL, "SET")).toMatchObject({ code: "INVALID_ARGUMENT", cause: failure });
  });

  it("has advice only where there is some", () => {
    expect(adviceFor("LOADING")).toContain("loading");
    expect(adviceFor("")).toBeUndefined();
    expect(adviceFor("toString")).toBeUndefined();
  });
});
