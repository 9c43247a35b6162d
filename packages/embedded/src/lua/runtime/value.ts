/**
 * How Lua values live in JavaScript. A string is a binary string (one char 0..255 per byte), nil is `undefined`, numbers
 * are doubles, a function is a JavaScript function. No Lua value is a JavaScript array, so an array can stand for
 * "several results".
 *
 * The files of this folder know each other, because Lua's values do: a table holds functions, a function may yield to a
 * coroutine, whose call goes through a table's metamethods. Nothing outside the folder is part of that circle.
 */
import type { Coroutine } from "./coroutine.ts";
import type { LuaTable } from "./table.ts";

export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction | Coroutine | LightUserdata;

/** One value, or any number of values as an array that nobody changes. */
export type LuaResult = LuaValue | readonly LuaValue[];

export interface LuaFunction {
  (...args: LuaValue[]): LuaResult;
  /** The same function as a generator, which a yield can suspend: in a chunk that uses coroutines or is to pause. */
  generator?: (...args: LuaValue[]) => Generator<readonly LuaValue[], LuaResult, readonly LuaValue[]>;
  /** Set on the functions of the libraries, "C functions" in Lua's words. */
  library?: true;
}

/** A pointer of the host's. The only one that scripts meet is the null pointer, as `cjson.null`. */
export class LightUserdata {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const NULL_POINTER: LightUserdata = new LightUserdata("(nil)");

/** What a function without results returns. */
export const NOTHING: readonly LuaValue[] = Object.freeze([]);

export function isTruthy(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** The first of a call's results, nil when there is none. */
export function first(result: LuaResult): LuaValue {
  return Array.isArray(result) ? (result as readonly LuaValue[])[0] : (result as LuaValue);
}

/** A call's results as a list. */
export function list(result: LuaResult): readonly LuaValue[] {
  return Array.isArray(result) ? (result as readonly LuaValue[]) : [result as LuaValue];
}

const addresses = new WeakMap<object, number>();
let lastAddress = 0x5581_0000_0000;

export function newestAddress(): number {
  return lastAddress;
}

/** What is made from now on gets the addresses again that were given since `address` was the newest. */
export function rewindAddresses(address: number): void {
  lastAddress = address;
}

/** A number that stays with an object, in place of its memory address: for hashing and for `tostring`. */
export function addressOf(value: object): number {
  let address = addresses.get(value);
  if (address === undefined) {
    lastAddress += 64;
    address = lastAddress;
    addresses.set(value, address);
  }
  return address;
}
