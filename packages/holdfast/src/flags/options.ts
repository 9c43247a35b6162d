/** What flags may be given. */
import { InvalidArgumentError } from "../base/errors.ts";
import {
  type Duration,
  givenOptions,
  type OptionNames,
  parseOptions,
  toTimerMs,
  wholeBetween,
} from "../base/options.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { checkDefinition, type FlagDefinition } from "./definition.ts";

export interface FlagsOptions {
  /** How many flags there may be, 1 to 10,000. @default 1_000 */
  readonly maxFlags?: number;
  /** How many changes are remembered, 0 to 100,000. @default 1_000 */
  readonly maxHistory?: number;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface FlagChangeOptions {
  /** Only where this version of the flag is there; 0: only where there is none. @default whatever is there */
  readonly ifVersion?: number;
  /** Who changes it, for the history, at most 256 characters. @default nobody */
  readonly by?: string;
  /** Why, for the history, at most 1,000 characters. @default no reason */
  readonly why?: string;
}

export interface FlagHistoryOptions {
  /** Of this flag only. @default all */
  readonly flag?: string;
  /** The newest so many. @default 100 */
  readonly limit?: number;
}

export interface FlagsClientOptions {
  /** What is known until the server is reached, by name: evaluated as `STALE`. @default nothing */
  readonly bootstrap?: { readonly [flag: string]: FlagDefinition };
  /** Called with what cannot be read. @default the first is a process warning */
  readonly onError?: (error: unknown) => void;
}

export interface FlagsSettings {
  readonly maxFlags: number;
  readonly maxHistory: number;
  readonly timeoutMs: number | undefined;
}

const OPTIONS: OptionNames<FlagsOptions> = { maxFlags: true, maxHistory: true, timeout: true };
const CHANGE_OPTIONS: OptionNames<FlagChangeOptions> = { ifVersion: true, by: true, why: true };
const HISTORY_OPTIONS: OptionNames<FlagHistoryOptions> = { flag: true, limit: true };
const CLIENT_OPTIONS: OptionNames<FlagsClientOptions> = { bootstrap: true, onError: true };
const MAX_NAME = 256;
const MAX_WHY = 1_000;

export function flagsSettings(where: string, given: FlagsOptions | undefined): FlagsSettings {
  return parseOptions(where, given, OPTIONS, ({ maxFlags = 1_000, maxHistory = 1_000, timeout }) => ({
    maxFlags: wholeBetween("maxFlags", maxFlags, 1, 10_000),
    maxHistory: wholeBetween("maxHistory", maxHistory, 0, 100_000),
    timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
  }));
}

export function checkFlagName(name: string): string {
  return checkText("flag", name, MAX_NAME);
}

export function changing(given: FlagChangeOptions | undefined): FlagChangeOptions {
  const options = givenOptions(given, CHANGE_OPTIONS);
  const { ifVersion, by, why } = options;
  if (ifVersion !== undefined) wholeBetween("ifVersion", ifVersion, 0, Number.MAX_SAFE_INTEGER);
  if (by !== undefined) checkText("by", by, MAX_NAME);
  if (why !== undefined) checkText("why", why, MAX_WHY);
  return options;
}

export function remembering(given: FlagHistoryOptions | undefined): { flag: string | undefined; limit: number } {
  const { flag, limit = 100 } = givenOptions(given, HISTORY_OPTIONS);
  return { flag: flag === undefined ? undefined : checkFlagName(flag), limit: wholeBetween("limit", limit, 1, 10_000) };
}

export function clientOptions(where: string, given: FlagsClientOptions | undefined): FlagsClientOptions {
  return parseOptions(where, given, CLIENT_OPTIONS, (options) => {
    const { bootstrap, onError } = options;
    if (bootstrap !== undefined && (typeof bootstrap !== "object" || bootstrap === null))
      throw new InvalidArgumentError("bootstrap", "flags by name", bootstrap);
    for (const [name, flag] of Object.entries(bootstrap ?? {}))
      if (flag !== undefined) checkDefinition(flag, `bootstrap.${name}`);
    if (onError !== undefined && typeof onError !== "function")
      throw new InvalidArgumentError("onError", "a function", onError);
    return options;
  });
}
