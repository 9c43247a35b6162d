import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, type OptionNames, toTimerMs, wholeBetween } from "../../base/options.ts";
import { isReadable, type LiveReadable, LiveView, SOURCE_KINDS } from "./view.ts";

/** Whose connection it is. */
export interface LiveIdentity {
  /** For `end` and `toUser`, and for what `authorize` decides by. */
  readonly user?: string;
  /** For `end({ session })`. */
  readonly session?: string;
  /** When the connection is to end, from now, such as by the expiry of its token; counted again each time that `identify` is asked. @default never */
  readonly expiresIn?: Duration;
}

/** What somebody wants to see. `chat:7` is the name `chat` with the id `7`. */
export interface LiveRequested<R> {
  readonly subscription: string;
  readonly name: string;
  /** Undefined where there is none. */
  readonly id: string | undefined;
  readonly identity: LiveIdentity;
  /** The framework's own: a `Request`, Hono's context, Express's or Fastify's request. */
  readonly request: R;
}

export type LiveSource = LiveReadable | LiveView;

/** A source, or the function that finds it by the id; what it does not find is denied. */
export type LiveSources<R> = Readonly<
  Record<
    string,
    LiveSource | ((requested: LiveRequested<R>) => LiveSource | undefined | Promise<LiveSource | undefined>)
  >
>;

export interface LiveOptions<R> {
  /** What can be subscribed to, by name. */
  readonly sources: LiveSources<R>;
  /** Of the channel by which the fleet ends connections, sends to users and changes subscriptions. @default "live" */
  readonly name?: string;
  /** Says whose a connection is; undefined is answered 401. @default everybody's */
  readonly identify?: (request: R) => LiveIdentity | undefined | Promise<LiveIdentity | undefined>;
  /** Whether this user may have this subscription. @default what is among the sources may be had by everybody */
  readonly authorize?: (requested: LiveRequested<R>) => boolean | Promise<boolean>;
  /** How often `identify` and `authorize` are asked again for what is open: the bound in which a revocation is seen for certain. @default "1m" */
  readonly revalidate?: Duration;
  /** A comment is sent to a client that has had nothing for so long. @default "15s" */
  readonly heartbeat?: Duration;
  /** When clients are to come back after a connection has ended; each is told between this and twice as long. @default "1s" */
  readonly retry?: Duration;
  /** How much may wait for a client that reads slowly, in characters, about. @default 262144 */
  readonly buffer?: number;
  /**
   * What happens to the messages of a channel when that is full: `close` ends the connection, and the client comes back; `drop` leaves them out, with a `gap`.
   * Topics and streams wait for the client instead.
   * @default "close"
   */
  readonly onSlow?: "close" | "drop";
  /** A client that has taken nothing of what waits for it in so long is disconnected. @default "30s" */
  readonly stall?: Duration;
  /** Of one connection. @default 32 */
  readonly maxSubscriptions?: number;
  /** Of this process: one more is answered 503. @default 10_000 */
  readonly maxConnections?: number;
  /** Told of what could not be read or sent; the client comes back. @default the first is a process warning */
  readonly onError?: (error: unknown) => void;
}

export const LIVE_OPTIONS: OptionNames<LiveOptions<unknown>> = {
  sources: true,
  name: true,
  identify: true,
  authorize: true,
  revalidate: true,
  heartbeat: true,
  retry: true,
  buffer: true,
  onSlow: true,
  stall: true,
  maxSubscriptions: true,
  maxConnections: true,
  onError: true,
};

export interface LiveSettings<R> {
  readonly sources: ReadonlyMap<string, LiveSources<R>[string]>;
  readonly identify: LiveOptions<R>["identify"];
  readonly authorize: LiveOptions<R>["authorize"];
  readonly revalidateMs: number;
  readonly heartbeatMs: number;
  readonly retryMs: number;
  readonly buffer: number;
  readonly onSlow: "close" | "drop";
  readonly stallMs: number;
  readonly maxSubscriptions: number;
  readonly maxConnections: number;
  readonly onError: LiveOptions<R>["onError"];
}

/** What `toUser` sends comes by it. */
export const USER_SUBSCRIPTION = "user";
/** Of EventSource's own events, and of the protocol's. */
const TAKEN = new Set(["open", "error", "message", "live", USER_SUBSCRIPTION]);
/** What a source can be, for messages. */
export const SOURCE_WORDS: string = `${SOURCE_KINDS}, a view of one`;
const NAME = /^[\w.-]{1,64}$/;

export function liveSettings<R>(options: LiveOptions<R>): LiveSettings<R> {
  const { identify, authorize, onError, onSlow = "close", buffer = 262_144 } = options;
  for (const [field, given] of Object.entries({ identify, authorize, onError }))
    if (given !== undefined && typeof given !== "function") throw new InvalidArgumentError(field, "a function", given);
  if (onSlow !== "close" && onSlow !== "drop") throw new InvalidArgumentError("onSlow", '"close" or "drop"', onSlow);
  return {
    sources: sourcesOf(options.sources),
    identify,
    authorize,
    revalidateMs: toTimerMs("revalidate", options.revalidate ?? "1m"),
    heartbeatMs: toTimerMs("heartbeat", options.heartbeat ?? "15s"),
    retryMs: toTimerMs("retry", options.retry ?? "1s"),
    buffer: wholeBetween("buffer", buffer, 1_024, 2 ** 30),
    onSlow,
    stallMs: toTimerMs("stall", options.stall ?? "30s"),
    maxSubscriptions: wholeBetween("maxSubscriptions", options.maxSubscriptions ?? 32, 1, 1_024),
    maxConnections: wholeBetween("maxConnections", options.maxConnections ?? 10_000, 1, 10_000_000),
    onError,
  };
}

function sourcesOf<R>(given: LiveSources<R>): ReadonlyMap<string, LiveSources<R>[string]> {
  if (typeof given !== "object" || given === null)
    throw new InvalidArgumentError("sources", "an object of channels, topics, streams or functions, by name", given);
  for (const [name, source] of Object.entries(given)) {
    const field = `sources.${NAME.test(name) ? name : "(name)"}`;
    if (!NAME.test(name) || TAKEN.has(name))
      throw new InvalidArgumentError(
        field,
        `a name of up to 64 of a-z A-Z 0-9 _ . -, none of ${[...TAKEN].join(", ")}`,
        name,
      );
    if (typeof source !== "function" && !isSource(source))
      throw new InvalidArgumentError(field, SOURCE_WORDS + ", or a function", source);
  }
  return new Map(Object.entries(given));
}

export function isSource(given: unknown): given is LiveSource {
  return given instanceof LiveView || isReadable(given);
}
