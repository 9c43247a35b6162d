import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs } from "../base/options.ts";
import { type Codec, CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import type { Waiting } from "../core/lease/request.ts";

export interface ElectionOptions<V> extends CodecOptions<V> {
  /** As which the others know this candidate, 1 to 256 characters. @default a random one per `hf.election` */
  readonly id?: string;
  /** How long the lead outlives a leader that died. Renewed at each third of it. @default "10s" */
  readonly ttl?: Duration;
  /**
   * For how long nobody follows a leader that was lost without having resigned: for followers that cannot check terms, so
   * that what it had under way when it was stopped has ended.
   * @default 0
   */
  readonly lockDelay?: Duration;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface ElectionCampaignOptions<V> {
  /** What everybody sees of the leader, such as its address. @default none */
  readonly value?: V;
  /** How long to wait for the lead, with all requests; 0 asks once. @default no limit */
  readonly wait?: Duration;
  /** Stops the waiting. No effect once it leads. */
  readonly signal?: AbortSignal;
}

export interface ElectionLeadOptions<V> {
  /** What everybody sees of the leader, such as its address. @default none */
  readonly value?: V;
  /** How long `close()` waits for the function; it keeps the lead until it has ended all the same. @default "30s" */
  readonly closeTimeout?: Duration;
  /** Called with what the function throws, and with failures of a campaign. @default emitted as a process warning */
  readonly onError?: (error: unknown) => void;
}

export interface ElectionObserveOptions {
  /** Ends the iteration. @default none */
  readonly signal?: AbortSignal;
}

export interface ElectionResignOptions {
  /** The id of the candidate that is to follow. @default the one that has waited longest */
  readonly to?: string;
}

export interface ElectionSettings<V> {
  readonly id: string;
  readonly ttlMs: number;
  readonly lockDelayMs: number;
  readonly timeoutMs: number;
  readonly codec: Codec<V>;
}

/** Below this the answer to a renewal can hardly come in time. */
const MIN_TTL_MS = 100;
const MAX_ID_LENGTH = 256;

const OPTIONS: OptionNames<ElectionOptions<unknown>> = {
  ...CODEC_OPTIONS,
  id: true,
  ttl: true,
  lockDelay: true,
  timeout: true,
};
const CAMPAIGN_OPTIONS: OptionNames<ElectionCampaignOptions<unknown>> = { value: true, wait: true, signal: true };
const LEAD_OPTIONS: OptionNames<ElectionLeadOptions<unknown>> = { value: true, closeTimeout: true, onError: true };
const OBSERVE_OPTIONS: OptionNames<ElectionObserveOptions> = { signal: true };
const RESIGN_OPTIONS: OptionNames<ElectionResignOptions> = { to: true };

export function electionSettings<V>(
  core: Core,
  label: string,
  given: ElectionOptions<V> | undefined,
): ElectionSettings<V> {
  return parseOptions(label, given as ElectionOptions<unknown> | undefined, OPTIONS, (options) => {
    const { id, ttl = "10s", lockDelay = 0, timeout } = options;
    return {
      id: id === undefined ? core.driver.runtime.randomUUID() : checkText("id", id, MAX_ID_LENGTH),
      ttlMs: toMs("ttl", ttl, MIN_TTL_MS),
      lockDelayMs: toMs("lockDelay", lockDelay, 0),
      timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
      codec: core.codec<V>(options as ElectionOptions<V>),
    };
  });
}

export function campaigning<V>(
  label: string,
  given: ElectionCampaignOptions<V> | undefined,
): Waiting & { readonly value: V | undefined } {
  return parseOptions(
    label,
    given as ElectionCampaignOptions<unknown>,
    CAMPAIGN_OPTIONS,
    ({ value, wait, signal }) => ({
      value: value as V | undefined,
      waitMs: wait === undefined ? Infinity : toMs("wait", wait, 0),
      signal: checkSignal(signal),
    }),
  );
}

export interface LeadSettings<V> {
  readonly value: V | undefined;
  readonly closeTimeoutMs: number;
  readonly onError: ((error: unknown) => void) | undefined;
}

export function leading<V>(label: string, given: ElectionLeadOptions<V> | undefined): LeadSettings<V> {
  return parseOptions(label, given as ElectionLeadOptions<unknown>, LEAD_OPTIONS, (options) => {
    const { value, closeTimeout = "30s", onError } = options;
    if (onError !== undefined && typeof onError !== "function")
      throw new InvalidArgumentError("onError", "a function", onError);
    return { value: value as V | undefined, closeTimeoutMs: toTimerMs("closeTimeout", closeTimeout, 0), onError };
  });
}

export function observing(label: string, given: ElectionObserveOptions | undefined): AbortSignal | undefined {
  return parseOptions(label, given, OBSERVE_OPTIONS, ({ signal }) => checkSignal(signal));
}

export function resigning(label: string, given: ElectionResignOptions | undefined): string | undefined {
  return parseOptions(label, given, RESIGN_OPTIONS, ({ to }) =>
    to === undefined ? undefined : checkText("to", to, MAX_ID_LENGTH),
  );
}
