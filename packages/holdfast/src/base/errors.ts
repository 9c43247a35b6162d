/**
 * Every failure is a HoldfastError: a stable `code`, the operation, the key and whether trying again can help.
 * Outcomes that a caller plans for (busy, limited, missing, conflict) are return values and never come this way.
 */
export type ErrorCode =
  | "INVALID_ARGUMENT"
  | "CLOSED"
  | "UNAVAILABLE"
  | "TIMEOUT"
  | "ABORTED"
  | "OUTCOME_UNKNOWN"
  | "SERVER"
  | "AUTH"
  | "PERMISSION"
  | "WRONG_TYPE"
  | "SERVER_FULL"
  | "OVERLOADED"
  | "CODEC"
  | "CONFLICT"
  | "LEASE_LOST"
  | "UNSUPPORTED"
  | "PARTIAL";

export interface ErrorDetails {
  /** The operation as a user knows it, such as `cache.get`. */
  readonly op?: string | undefined;
  /** The key it was about, as the caller named it. */
  readonly key?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

export class HoldfastError extends Error {
  override readonly name: string = "HoldfastError";
  readonly code: ErrorCode;
  readonly op: string | undefined;
  readonly key: string | undefined;
  /** True when the same call may succeed later and repeating it is safe. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.op = details.op;
    this.key = details.key;
    this.retryable = details.retryable ?? false;
  }
}

/** Bad input, refused before anything was sent: the message names the instance, the field and what was expected. */
export class InvalidArgumentError extends HoldfastError {
  override readonly name: string = "InvalidArgumentError";
  readonly field: string;

  /** @param got what was given, of which the message shows the kind only: it may be a secret. `said` words it otherwise */
  constructor(field: string, expected: string, got: unknown, details: ErrorDetails & { readonly where?: string } = {}) {
    const where = details.where === undefined ? "" : `${details.where}: `;
    super("INVALID_ARGUMENT", `${where}${field}: expected ${expected}, got ${describe(got)}`, details);
    this.field = field;
    this.#parts = { expected, got, details };
  }

  readonly #parts: {
    readonly expected: string;
    readonly got: unknown;
    readonly details: ErrorDetails & { readonly where?: string };
  };

  /** The same refusal, which names the instance, and the operation, where it does not yet: `cache "users": ttl: expected ...`. */
  at(where: string, { op, key }: Pick<ErrorDetails, "op" | "key"> = {}): InvalidArgumentError {
    const { expected, got, details } = this.#parts;
    const about = { op: details.op ?? op, key: details.key ?? key, where: details.where ?? where };
    return new InvalidArgumentError(this.field, expected, got, { ...details, ...about });
  }
}

/** The handle was closed before or during the call; nothing of it will be sent any more. */
export class ClosedError extends HoldfastError {
  override readonly name: string = "ClosedError";
  constructor(message = "this connection was closed; call connect() for a new one", details: ErrorDetails = {}) {
    super("CLOSED", message, details);
  }
}

/** No server could be reached within the deadline; the operation was **not** executed. */
export class UnavailableError extends HoldfastError {
  override readonly name: string = "UnavailableError";
  constructor(message: string, details: ErrorDetails = {}) {
    super("UNAVAILABLE", message, { retryable: true, ...details });
  }
}

/** Fewer replicas confirmed a lock, or its renewal, than its `durability` asks for; an acquire has released it again. */
export class NotReplicatedError extends UnavailableError {
  override readonly name: string = "NotReplicatedError";
  /** That confirmed it in time. */
  readonly replicas: number;
  constructor(message: string, replicas: number, details: ErrorDetails = {}) {
    super(message, details);
    this.replicas = replicas;
  }
}

/** The deadline passed for an operation that changes nothing, or that was never sent. */
export class TimeoutError extends HoldfastError {
  override readonly name: string = "TimeoutError";
  constructor(message: string, details: ErrorDetails = {}) {
    super("TIMEOUT", message, { retryable: true, ...details });
  }
}

/** The caller's own AbortSignal fired. `cause` is the signal's reason. */
export class AbortedError extends HoldfastError {
  override readonly name: string = "AbortedError";
  constructor(message: string, details: ErrorDetails = {}) {
    super("ABORTED", message, details);
  }
}

/**
 * A write was sent and its answer was lost: it may or may not have been executed.
 * It is not repeated by the library. Read the state, or repeat it with an idempotency key.
 */
export class OutcomeUnknownError extends HoldfastError {
  override readonly name: string = "OutcomeUnknownError";
  constructor(message: string, details: ErrorDetails = {}) {
    super("OUTCOME_UNKNOWN", message, details);
  }
}

/**
 * A lock, permit or other lease ended before its holder gave it back: the reason of its `signal`.
 * - `expired`: it could not be renewed in time; somebody else may hold it by now.
 * - `stolen`: somebody else holds it.
 * - `maxHold`: it was held as long as it may be; it is no longer renewed and ends within its ttl.
 * - `closed`: the handle was closed.
 */
export class LeaseLostError extends HoldfastError {
  override readonly name: string = "LeaseLostError";
  readonly reason: "expired" | "stolen" | "maxHold" | "closed";
  constructor(reason: LeaseLostError["reason"], message: string, details: ErrorDetails = {}) {
    super("LEASE_LOST", message, details);
    this.reason = reason;
  }
}

/** The server answered with an error that is the operation's own fault (syntax, wrong type, script error ...). */
export class ServerError extends HoldfastError {
  override readonly name: string = "ServerError";
  /** The first word of the server's answer, such as `WRONGTYPE`. */
  readonly prefix: string;
  constructor(code: ErrorCode, prefix: string, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.prefix = prefix;
  }
}

/**
 * The server replied with what the operation cannot mean: text where a number belongs, say from a proxy or from another
 * server. A write may have been executed.
 */
export class ReplyError extends HoldfastError {
  override readonly name: string = "ReplyError";
  constructor(message: string, details: ErrorDetails = {}) {
    super("SERVER", message, details);
  }
}

/** Stored bytes could not be turned back into a value, or a value not into bytes. */
export class CodecError extends HoldfastError {
  override readonly name: string = "CodecError";
  readonly reason:
    | "foreign"
    | "truncated"
    | "corrupt"
    | "version"
    | "key"
    | "validation"
    | "unserializable"
    | "unsupported";
  constructor(reason: CodecError["reason"], message: string, details: ErrorDetails = {}) {
    super("CODEC", message, details);
    this.reason = reason;
  }
}

/** Some items of one call failed, and others did not: `errors` and `results` say which, by the id that the caller named. */
export class PartialFailureError<Id = string | number, Result = unknown> extends HoldfastError {
  override readonly name: string = "PartialFailureError";
  readonly errors: ReadonlyMap<Id, Error>;
  readonly results: ReadonlyMap<Id, Result>;
  constructor(errors: ReadonlyMap<Id, Error>, results: ReadonlyMap<Id, Result>, details: ErrorDetails = {}) {
    const all = [...errors.values()];
    const retryable = all.every((error) => error instanceof HoldfastError && error.retryable);
    const message = `${errors.size} of ${errors.size + results.size} failed; see errors and results`;
    super("PARTIAL", message, { retryable, cause: all[0], ...details });
    this.errors = errors;
    this.results = results;
  }
}

/**
 * Whether the server could not do its part for the moment (away, full, overloaded, an answer lost or not understood), as opposed to a
 * mistake in the call or the set-up: what an outage policy is for.
 */
export function isOutage(error: unknown): error is HoldfastError {
  if (!(error instanceof HoldfastError)) return false;
  return error.retryable || error.code === "OUTCOME_UNKNOWN" || error instanceof ReplyError;
}

/** Words for what was given, shown as they are: where the kind of it says too little. */
export class Said {
  readonly words: string;
  constructor(words: string) {
    this.words = words;
  }
}

export function said(words: string): Said {
  return new Said(words);
}

/** Of what was given as a value to be stored not even a small number is shown. */
export function kindGiven(value: unknown): unknown {
  return typeof value === "number" ? said("a number") : value;
}

/** A number with more digits may be a card's, or a password. */
const MAX_SHOWN_DIGITS = 5;

/** The kind of a value, and of a small number the number. Nothing else of it: it may be a secret, or what is to be stored. */
function describe(value: unknown): string {
  if (value instanceof Said) return value.words;
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "string") return value === "" ? "an empty string" : `a string of ${value.length} characters`;
  if (typeof value === "number") return shownNumber(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function shownNumber(value: number): string {
  const text = String(value);
  return Number.isFinite(value) && text.length > MAX_SHOWN_DIGITS ? "another number" : text;
}
