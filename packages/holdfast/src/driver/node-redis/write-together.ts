/**
 * One write for all commands of a tick. node-redis hands its socket a string per command, and Node hands a list of
 * strings to the kernel piece by piece: at some hundred commands a turn that is a fifth of a client's CPU.
 *
 * It is the stream option `writev`, which `net.Socket` takes like every other Writable. Where it is not taken (TLS,
 * a later Node), Node's own way of writing a list is used and nothing but the speed changes.
 */
import { Socket } from "node:net";

interface Piece {
  readonly chunk: string | Buffer;
  readonly encoding: BufferEncoding;
}

type Writev = (this: Socket, pieces: readonly Piece[], done: (error?: Error | null) => void) => void;

/** Joining costs a copy, which pays for small pieces only. */
const MAX_JOINED_LENGTH = 256 * 1024;

/** Node's own way, which its types call by other names. */
const { prototype: plain } = Socket as unknown as { readonly prototype: { readonly _writev: Writev } };

/** To be spread into the options of `net.connect`. */
export const oneWritePerTurn: { readonly writev: Writev } = {
  writev(pieces, done) {
    const whole = joined(pieces);
    if (whole === undefined) plain._writev.call(this, pieces, done);
    else this._write(whole, typeof whole === "string" ? "utf8" : ("buffer" as BufferEncoding), done);
  },
};

/** Undefined where it does not pay. A piece never ends within a character, so joining changes no byte. */
function joined(pieces: readonly Piece[]): string | Buffer | undefined {
  let text = "";
  let [length, hasBytes] = [0, false];
  for (const { chunk } of pieces) {
    length += chunk.length;
    if (length > MAX_JOINED_LENGTH) return undefined;
    if (typeof chunk !== "string") hasBytes = true;
    else if (!hasBytes) text += chunk;
  }
  return hasBytes ? filled(pieces) : text;
}

function filled(pieces: readonly Piece[]): Buffer {
  let [length, at] = [0, 0];
  for (const { chunk } of pieces) length += Buffer.byteLength(chunk);
  const whole = Buffer.allocUnsafe(length);
  for (const { chunk } of pieces) at += typeof chunk === "string" ? whole.write(chunk, at) : chunk.copy(whole, at);
  return whole;
}
