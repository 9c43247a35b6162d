/** The embedded server's strings are binary: one character, 0 to 255, per byte. */
import type { Arg } from "../port.ts";

/** Text as UTF-8; ASCII, which most of it is, needs no conversion. @throws TypeError as node-redis does, for anything else */
export function toBinary(arg: Arg): string {
  if (typeof arg !== "string") {
    if (!Buffer.isBuffer(arg)) throw new TypeError("an argument is neither a string nor a Buffer");
    return arg.toString("latin1");
  }
  return Buffer.byteLength(arg) === arg.length ? arg : Buffer.from(arg).toString("latin1");
}

export function toBytes(binary: string): Buffer {
  return Buffer.from(binary, "latin1");
}
