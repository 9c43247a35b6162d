import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import {
  type Duration,
  givenOptions,
  type OptionNames,
  parseOptions,
  toMs,
  toTimerMs,
  wholeBetween,
} from "../base/options.ts";
import { type Codec, CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";

export interface PresenceOptions<Meta> extends CodecOptions<Meta> {
  /** Without a heartbeat of its process a member is out after so long, and the grace. Renewed at each third of it. @default "60s" */
  readonly ttl?: Duration;
  /** Whoever comes back within so long was never away, for those who watch. @default "5s" */
  readonly grace?: Duration;
  /** Devices in the room, of all users together. @default 10000 */
  readonly maxMembers?: number;
  /** Devices of one user. @default 100 */
  readonly maxDevices?: number;
  /** Bytes of one member's meta, as it is stored. @default 1024 */
  readonly maxMetaBytes?: number;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface PresenceJoinOptions<Meta> {
  /** What the others see of it. @default none */
  readonly meta?: Meta;
  /** Which of the user's devices or sessions it is; the newest of the same name takes the place of the one before. @default a random one */
  readonly device?: Id;
  /** Joins again by itself once the server is back, instead of being lost. @default true */
  readonly rejoin?: boolean;
  /** Called with false when it is out of the room without having left it, and with true when it is back. Must not throw. */
  readonly onChange?: (present: boolean) => void;
}

export interface PresenceLeaveOptions {
  /** 0 for a sign-out that everybody is to see at once. @default the room's `grace` */
  readonly grace?: Duration;
}

export interface PresenceMembersOptions {
  /** Where the page before ended. @default the first page */
  readonly cursor?: string;
  /** About so many devices; all devices of a user are in the same page. 1 to 1000. @default 100 */
  readonly limit?: number;
}

export interface PresenceWatchOptions {
  /** Ends the iteration. @default none */
  readonly signal?: AbortSignal;
}

export interface PresenceSettings<Meta> {
  readonly codec: Codec<Meta>;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly maxMembers: number;
  readonly maxDevices: number;
  readonly maxMetaBytes: number;
  readonly timeoutMs: number;
}

const OPTIONS: OptionNames<PresenceOptions<unknown>> = {
  ...CODEC_OPTIONS,
  ttl: true,
  grace: true,
  maxMembers: true,
  maxDevices: true,
  maxMetaBytes: true,
  timeout: true,
};
const JOIN_OPTIONS: OptionNames<PresenceJoinOptions<never>> = {
  meta: true,
  device: true,
  rejoin: true,
  onChange: true,
};
const LEAVE_OPTIONS: OptionNames<PresenceLeaveOptions> = { grace: true };
const MEMBERS_OPTIONS: OptionNames<PresenceMembersOptions> = { cursor: true, limit: true };
const WATCH_OPTIONS: OptionNames<PresenceWatchOptions> = { signal: true };

const MIN_TTL_MS = 100;
const MAX_GRACE_MS = 86_400_000;

export function presenceSettings<Meta>(
  core: Core,
  label: string,
  given: PresenceOptions<Meta> | undefined,
): PresenceSettings<Meta> {
  return parseOptions(label, given as PresenceOptions<unknown> | undefined, OPTIONS, (options) => {
    const { ttl = "60s", grace = "5s", maxMembers = 10_000, maxDevices = 100, maxMetaBytes = 1_024 } = options;
    const { timeout } = options;
    return {
      codec: core.codec<Meta>(options as PresenceOptions<Meta>),
      ttlMs: toTimerMs("ttl", ttl, MIN_TTL_MS),
      graceMs: graceOf(grace),
      maxMembers: wholeBetween("maxMembers", maxMembers, 1, 1_000_000),
      maxDevices: wholeBetween("maxDevices", maxDevices, 1, 1_000),
      maxMetaBytes: wholeBetween("maxMetaBytes", maxMetaBytes, 1, 65_536),
      timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
    };
  });
}

export function joining<Meta>(given: PresenceJoinOptions<Meta> | undefined): {
  readonly meta: Meta | undefined;
  readonly device: string | undefined;
  readonly rejoin: boolean;
  readonly onChange: ((present: boolean) => void) | undefined;
} {
  const { meta, device, rejoin = true, onChange } = givenOptions<PresenceJoinOptions<Meta>>(given, JOIN_OPTIONS);
  if (typeof rejoin !== "boolean") throw new InvalidArgumentError("rejoin", "true or false", rejoin);
  if (onChange !== undefined && typeof onChange !== "function")
    throw new InvalidArgumentError("onChange", "a function", onChange);
  return { meta, device: device === undefined ? undefined : nameOf("device", device), rejoin, onChange };
}

/** Undefined: the room's. */
export function leaving(given: PresenceLeaveOptions | undefined): number | undefined {
  const { grace } = givenOptions(given, LEAVE_OPTIONS);
  return grace === undefined ? undefined : graceOf(grace);
}

export function paging(given: PresenceMembersOptions | undefined): { readonly after: string; readonly limit: number } {
  const { cursor, limit = 100 } = givenOptions(given, MEMBERS_OPTIONS);
  const after = cursor === undefined ? "" : nameOf("cursor", cursor);
  return { after, limit: wholeBetween("limit", limit, 1, 1_000) };
}

export function watching(label: string, given: PresenceWatchOptions | undefined): AbortSignal | undefined {
  return parseOptions(label, given, WATCH_OPTIONS, ({ signal }) => checkSignal(signal));
}

/** A zero byte stands between the names of a user and of a device. */
export function nameOf(field: string, id: Id): string {
  const name = checkId(field, id);
  if (name.includes("\0")) throw new InvalidArgumentError(field, "a text without zero bytes", name);
  return name;
}

function graceOf(grace: Duration): number {
  const ms = toMs("grace", grace, 0);
  if (ms <= MAX_GRACE_MS) return ms;
  throw new InvalidArgumentError("grace", "a duration of at most a day", grace);
}
