/** The cjson library (lua_cjson.c 2.1) with its options, which stay set until SCRIPT FLUSH. */
import type { LuaState } from "../runtime/state.ts";
import type { LuaTable } from "../runtime/table.ts";
import { type LuaValue, NULL_POINTER } from "../runtime/value.ts";
import { argumentError, type Args, checkInteger, checkOption, checkString, library } from "./arguments.ts";
import { toInt32 } from "../runtime/number.ts";
import { JsonDecoder } from "./json-decode.ts";
import { JsonEncoder } from "./json-encode.ts";
import type { JsonOptions } from "./json-options.ts";

const MAX_INT = 2 ** 31 - 1;
const MAX_PRECISION = 14;
const SWITCH = ["off", "on"];

export function jsonLibrary(state: LuaState): LuaTable {
  const options: JsonOptions = {
    sparseConvert: false,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeMaxDepth: 1000,
    decodeMaxDepth: 1000,
    precision: MAX_PRECISION,
    keepBuffer: true,
    invalidNumbers: "off",
    decodeInvalidNumbers: true,
  };
  const setting = new Settings(state, options);
  const table = library(
    {
      encode: (args) => {
        if (args.length !== 1) throw argumentError(state, 0, "expected 1 argument");
        return new JsonEncoder(state, options).encode(args[0]);
      },
      decode: (args) => {
        if (args.length !== 1) throw argumentError(state, 0, "expected 1 argument");
        return new JsonDecoder(state, options, checkString(state, args, 0)).decode();
      },
      encode_sparse_array: (args) => {
        setting.limitArguments(args, 3);
        return [
          setting.switch(args, 0, "sparseConvert"),
          setting.integer(args, 1, "sparseRatio", 0, MAX_INT),
          setting.integer(args, 2, "sparseSafe", 0, MAX_INT),
        ];
      },
      encode_max_depth: (args) => {
        setting.limitArguments(args, 1);
        return setting.integer(args, 0, "encodeMaxDepth", 1, MAX_INT);
      },
      decode_max_depth: (args) => {
        setting.limitArguments(args, 1);
        return setting.integer(args, 0, "decodeMaxDepth", 1, MAX_INT);
      },
      encode_number_precision: (args) => {
        setting.limitArguments(args, 1);
        return setting.integer(args, 0, "precision", 1, MAX_PRECISION);
      },
      encode_keep_buffer: (args) => {
        setting.limitArguments(args, 1);
        return setting.switch(args, 0, "keepBuffer");
      },
      encode_invalid_numbers: (args) => {
        setting.limitArguments(args, 1);
        return setting.invalidNumbers(args);
      },
      decode_invalid_numbers: (args) => {
        setting.limitArguments(args, 1);
        return setting.switch(args, 0, "decodeInvalidNumbers");
      },
      new: () => jsonLibrary(state),
    },
    { sized: false },
  );
  table.set("null", NULL_POINTER);
  table.set("_NAME", "cjson");
  table.set("_VERSION", "2.1.0");
  return table;
}

/** Options that are read and, given an argument, set. */
class Settings {
  readonly #state: LuaState;
  readonly #options: JsonOptions;

  constructor(state: LuaState, options: JsonOptions) {
    this.#state = state;
    this.#options = options;
  }

  limitArguments(args: Args, most: number): void {
    if (args.length > most) throw argumentError(this.#state, most, "found too many arguments");
  }

  /** The options outlive the script. */
  #set<K extends keyof JsonOptions>(name: K, value: JsonOptions[K]): void {
    const before = this.#options[name];
    this.#state.recording.onRewind(() => (this.#options[name] = before));
    this.#options[name] = value;
  }

  switch(args: Args, at: number, name: "sparseConvert" | "keepBuffer" | "decodeInvalidNumbers"): boolean {
    const value = args[at];
    if (typeof value === "boolean") this.#set(name, value);
    else if (value !== undefined) this.#set(name, checkOption(this.#state, args, at, SWITCH) === "on");
    return this.#options[name];
  }

  integer(
    args: Args,
    at: number,
    name: "sparseRatio" | "sparseSafe" | "encodeMaxDepth" | "decodeMaxDepth" | "precision",
    least: number,
    most: number,
  ): number {
    if (args[at] !== undefined) {
      const value = toInt32(checkInteger(this.#state, args, at));
      if (value < least || value > most) {
        throw argumentError(this.#state, 0, `expected integer between ${least} and ${most}`);
      }
      this.#set(name, value);
    }
    return this.#options[name];
  }

  invalidNumbers(args: Args): LuaValue {
    const [value] = args;
    if (typeof value === "boolean") this.#set("invalidNumbers", value ? "on" : "off");
    else if (value !== undefined) {
      const word = checkOption(this.#state, args, 0, [...SWITCH, "null"]);
      this.#set("invalidNumbers", word as JsonOptions["invalidNumbers"]);
    }
    const { invalidNumbers } = this.#options;
    return invalidNumbers === "null" ? invalidNumbers : invalidNumbers === "on";
  }
}
