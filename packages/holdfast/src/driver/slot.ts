/** Cluster slots: CRC16 (XMODEM) of the key, or of its hash tag, modulo 16384 (Redis Cluster specification). */
import type { Arg } from "./port.ts";

export const SLOTS = 16_384;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc & 0xffff;
});

export function slotOf(key: Arg): number {
  const bytes = typeof key === "string" ? Buffer.from(key) : key;
  const open = bytes.indexOf(0x7b);
  if (open !== -1) {
    const close = bytes.indexOf(0x7d, open + 1);
    if (close > open + 1) return crc16(bytes, open + 1, close) % SLOTS;
  }
  return crc16(bytes, 0, bytes.length) % SLOTS;
}

/** A hash tag of that slot: the first number whose slot it is. */
export function tagIn(slot: number): string {
  while (tags[slot] === undefined) {
    const tag = String(tried);
    tags[slotOf(tag)] ??= tag;
    tried += 1;
  }
  return tags[slot];
}

const tags: string[] = [];
let tried = 0;

function crc16(bytes: Buffer, from: number, to: number): number {
  let crc = 0;
  for (let at = from; at < to; at += 1) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ bytes[at]!]!;
  return crc;
}
