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
