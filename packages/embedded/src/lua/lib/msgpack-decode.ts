/** cmsgpack.unpack. */
import { checkKey } from "../runtime/indexing.ts";
import { LIBRARY_SITE } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable, TABLE_BYTES } from "../runtime/table.ts";
import type { LuaValue } from "../runtime/value.ts";

/** What an item takes in its table, about. */
const ITEM_BYTES = 64;
/** Sizes of the integers 0xcc..0xcf (unsigned) and 0xd0..0xd3 (signed). */
const INTEGER_SIZES = [1, 2, 4, 8] as const;

export class MessageDecoder {
  position: number;
  readonly #state: LuaState;
  readonly #data: string;

  constructor(state: LuaState, data: string, position: number) {
    this.#state = state;
    this.#data = data;
    this.position = position;
  }

  get done(): boolean {
    return this.position >= this.#data.length;
  }

  decode(): LuaValue {
    this.#state.charge(ITEM_BYTES);
    const code = this.#take(1).charCodeAt(0);
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code < 0x90) return this.#map(code & 0xf);
    if (code < 0xa0) return this.#array(code & 0xf);
    if (code < 0xc0) return this.#take(code & 0x1f);
    return this.#tagged(code);
  }

  #tagged(code: number): LuaValue {
    switch (code) {
      case 0xc0:
        return undefined;
      case 0xc2:
      case 0xc3:
        return code === 0xc3;
      case 0xca:
        return Buffer.from(this.#take(4), "latin1").readFloatBE();
      case 0xcb:
        return Buffer.from(this.#take(8), "latin1").readDoubleBE();
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#take(this.#unsigned(1 << (code - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(code === 0xdc ? 2 : 4));
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(code === 0xde ? 2 : 4));
      default:
        if (code >= 0xcc && code <= 0xcf) return this.#integer(INTEGER_SIZES[code - 0xcc]!, false);
        if (code >= 0xd0 && code <= 0xd3) return this.#integer(INTEGER_SIZES[code - 0xd0]!, true);
        throw this.#state.error("Bad data format in input.");
    }
  }

  /** 64 bits are signed whatever they were packed as. */
  #integer(size: number, signed: boolean): number {
    let bits = 0n;
    for (const byte of Buffer.from(this.#take(size), "latin1")) bits = (bits << 8n) | BigInt(byte);
    return Number(signed || size === 8 ? BigInt.asIntN(size * 8, bits) : bits);
  }

  #unsigned(size: number): number {
    return Buffer.from(this.#take(size), "latin1").readUIntBE(0, size);
  }

  #array(count: number): LuaTable {
    this.#state.charge(TABLE_BYTES);
    const table = new LuaTable();
    for (let at = 1; at <= count; at += 1) table.set(at, this.decode());
    return table;
  }

  #map(count: number): LuaTable {
    this.#state.charge(TABLE_BYTES);
    const table = new LuaTable();
    for (let at = 0; at < count; at += 1) {
      const key = this.decode();
      const value = this.decode();
      checkKey(this.#state, key, LIBRARY_SITE);
      table.set(key, value);
    }
    return table;
  }

  #take(count: number): string {
    if (this.position + count > this.#data.length) throw this.#state.error("Missing bytes in input.");
    this.position += count;
    return this.#data.slice(this.position - count, this.position);
  }
}
