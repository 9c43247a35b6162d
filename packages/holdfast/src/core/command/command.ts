/** Commands of a user's own: checked and put into bytes before anything is scheduled, routed and classed by the table. */
import { InvalidArgumentError, said } from "../../base/errors.ts";
import type { Arg, Driver, Reply } from "../../driver/port.ts";
import { observed } from "../observe/observe.ts";
import { changesConnection, classOf, isBlocking, keysOf } from "./table.ts";

/** An argument of a command: strings are sent as UTF-8, bytes as they are, numbers in decimal. */
export type CommandArg = string | number | bigint | Uint8Array;

/** A command as the driver takes it. */
export interface Wire {
  /** In capitals. */
  readonly name: string;
  readonly args: readonly Arg[];
}

/** @throws InvalidArgumentError that names the command and the position of what cannot be sent */
export function wire(command: string, args: readonly CommandArg[], op: string): Wire {
  if (typeof command !== "string" || !/^[!-~]+$/.test(command))
    throw new InvalidArgumentError("command", "a command's name, such as GET", command, { op, where: op });
  const name = command.toUpperCase();
  return { name, args: args.map((arg, at) => encoded(name, arg, at, op)) };
}

function encoded(name: string, arg: unknown, at: number, op: string): Arg {
  if (typeof arg === "string" || Buffer.isBuffer(arg)) return arg;
  if (typeof arg === "bigint" || (typeof arg === "number" && !Number.isNaN(arg))) return numeral(arg);
  if (arg instanceof Uint8Array) return Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
  const expected = "a string, a number or bytes; leave it out, or say how it is written";
  throw new InvalidArgumentError(`argument ${at + 1} of ${name}`, expected, arg, { op, where: op });
}

/** The server writes infinity without its end. */
function numeral(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return "+inf";
  return value === Number.NEGATIVE_INFINITY ? "-inf" : String(value);
}

/** One command on the connection that all calls share. */
export function sendCommand(driver: Driver, command: string, given: readonly CommandArg[]): Promise<Reply> {
  const op = typeof command === "string" ? `command.${command.toLowerCase()}` : "command";
  const first = given[0];
  return observed(op, typeof first === "string" ? first : undefined, async () => {
    const { name, args } = wire(command, given, "command");
    if (isBlocking(name, args)) {
      throw refusal(name, "a command that does not block (hf.driver.blocking runs one on a connection of its own)");
    }
    if (changesConnection(name, args)) {
      throw refusal(
        name,
        "no command that changes the shared connection (see hf.transaction, hf.channel, hf.driver.lease)",
      );
    }
    const key = keysOf(name, args)[0];
    const shown = typeof key === "string" ? key : undefined;
    return driver.send([name, ...args], { op, class: classOf(name, args), key: shown }, key);
  });
}

function refusal(name: string, expected: string): InvalidArgumentError {
  return new InvalidArgumentError("command", expected, said(name), { op: "command", where: "command" });
}
