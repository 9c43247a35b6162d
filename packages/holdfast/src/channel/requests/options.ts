/** Options of requests and of those who answer them. */
import { checkSignal } from "../../base/abort.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toTimerMs, wholeBetween } from "../../base/options.ts";
import { checkText } from "../../core/keyspace/keyspace.ts";
import type { ChannelRawMessage } from "../options.ts";

export interface ChannelRequestAllOptions {
  /** How long to wait for the reply, with everything that is before it. The responder is told what is left of it. @default the channel's `timeout` */
  readonly timeout?: Duration;
  /** Gives the request up; the signal of the handler that is at it fires too. @default none */
  readonly signal?: AbortSignal;
}

export interface ChannelRequestOptions extends ChannelRequestAllOptions {
  /** Of the responders that are asked; one of them answers. @default "default" */
  readonly group?: string;
}

export interface ChannelRespondOptions {
  /** Responders of one group share the requests to it: each goes to one of them. @default "default" */
  readonly group?: string;
  /** Requests that may be handled at one time. @default 10 */
  readonly concurrency?: number;
  /** Requests that may wait for their turn; what comes beyond them is answered `busy`. @default 1000 */
  readonly capacity?: number;
  /** A responder whose machine is gone without a word is asked no more after this. @default "15s" */
  readonly lease?: Duration;
  /** How long `close()` waits for requests that have arrived; then the signals of their handlers fire, and threads are ended. @default "5s" */
  readonly closeTimeout?: Duration;
  /** With a module instead of a handler: how many threads run it, each one request at a time; `concurrency` is then the same. @default 1 */
  readonly threads?: number;
  /**
   * Called with what a handler threw, other than a ChannelReplyError, with a request that cannot be read, and with a reply that cannot be sent.
   * @default the first error of a responder is emitted as a process warning
   */
  readonly onError?: (error: unknown, message: ChannelRawMessage | undefined) => void;
  /** Ends it, as `close()` does. @default none */
  readonly signal?: AbortSignal;
}

export interface RequestSettings {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly group: string;
}

export interface RespondSettings {
  readonly group: string;
  readonly concurrency: number;
  readonly capacity: number;
  readonly leaseMs: number;
  readonly closeTimeoutMs: number;
  readonly threads: number | undefined;
  readonly onError: ChannelRespondOptions["onError"];
  readonly signal: AbortSignal | undefined;
}

const MAX_GROUP_LENGTH = 256;
const MAX_THREADS = 256;
const MAX_WAITING = 1_000_000;
const MIN_LEASE_MS = 100;
const DEFAULT_GROUP = "default";

const REQUEST_ALL: OptionNames<ChannelRequestAllOptions> = { timeout: true, signal: true };
const REQUEST: OptionNames<ChannelRequestOptions> = { ...REQUEST_ALL, group: true };
const RESPOND: OptionNames<ChannelRespondOptions> = {
  group: true,
  concurrency: true,
  capacity: true,
  lease: true,
  closeTimeout: true,
  threads: true,
  onError: true,
  signal: true,
};

export function requestSettings(
  label: string,
  given: ChannelRequestOptions | undefined,
  timeoutMs: number,
): RequestSettings {
  return parseOptions(label, given, REQUEST, ({ timeout, signal, group }) => ({
    timeoutMs: timeout === undefined ? timeoutMs : toTimerMs("timeout", timeout),
    signal: checkSignal(signal),
    group: checkedGroup(group),
  }));
}

export function requestAllSettings(
  label: string,
  given: ChannelRequestAllOptions | undefined,
  timeoutMs: number,
): Omit<RequestSettings, "group"> {
  return parseOptions(label, given, REQUEST_ALL, (options) => requestSettings(label, options, timeoutMs));
}

export function respondSettings(label: string, given: ChannelRespondOptions | undefined): RespondSettings {
  return parseOptions(label, given, RESPOND, (options) => {
    const { threads, onError } = options;
    if (onError !== undefined && typeof onError !== "function")
      throw new InvalidArgumentError("onError", "a function", onError);
    return {
      group: checkedGroup(options.group),
      concurrency: wholeBetween("concurrency", options.concurrency ?? 10, 1, MAX_WAITING),
      capacity: wholeBetween("capacity", options.capacity ?? 1_000, 0, MAX_WAITING),
      leaseMs: toTimerMs("lease", options.lease ?? "15s", MIN_LEASE_MS),
      closeTimeoutMs: toTimerMs("closeTimeout", options.closeTimeout ?? "5s", 0),
      threads: threads === undefined ? undefined : wholeBetween("threads", threads, 1, MAX_THREADS),
      onError,
      signal: checkSignal(options.signal),
    };
  });
}

function checkedGroup(group: string | undefined): string {
  return group === undefined ? DEFAULT_GROUP : checkText("group", group, MAX_GROUP_LENGTH);
}
