/** The dense representation: 16384 registers of six bits each, the first in the lowest bits of the first byte. */
import type { Bytes } from "../values/bytes.ts";
import { REGISTERS } from "./hash.ts";

const WIDTH = 6;
const MAX = 63;

export const DENSE_BYTES: number = (REGISTERS * WIDTH) / 8;

/** `start` is where the registers begin. */
export function readRegister(bytes: Bytes, start: number, index: number): number {
  const bit = index * WIDTH;
  const at = start + (bit >> 3);
  const shift = bit & 7;
  return ((bytes.at(at) | (bytes.at(at + 1) << 8)) >> shift) & MAX;
}

export function writeRegister(bytes: Bytes, start: number, index: number, rank: number): void {
  const bit = index * WIDTH;
  const at = start + (bit >> 3);
  const shift = bit & 7;
  bytes.set(at, (bytes.at(at) & ~(MAX << shift)) | ((rank << shift) & 0xff));
  if (shift > 8 - WIDTH) bytes.set(at + 1, (bytes.at(at + 1) & ~(MAX >> (8 - shift))) | (rank >> (8 - shift)));
}

/** All ranks in order; four registers are three bytes. */
export function eachRegister(bytes: Bytes, start: number, visit: (index: number, rank: number) => void): void {
  const view = bytes.view();
  for (let index = 0, at = start; index < REGISTERS; index += 4, at += 3) {
    const three = (view[at] as number) | ((view[at + 1] as number) << 8) | ((view[at + 2] as number) << 16);
    visit(index, three & MAX);
    visit(index + 1, (three >> 6) & MAX);
    visit(index + 2, (three >> 12) & MAX);
    visit(index + 3, three >> 18);
  }
}
