/** The three kinds of values that a queue stores, each with the handle's serializer, compression and encryption. */
import { CodecError } from "../base/errors.ts";
import type { Codec, CodecContext } from "../core/codec/codec.ts";
import { checkSchema } from "../core/codec/schema.ts";
import type { Core } from "../core/core.ts";
import type { FailureRecord } from "./failure.ts";
import type { Told } from "./flows/fan-in.ts";
import type { StepValues } from "./steps/steps.ts";
import type { QueueOptions } from "./options.ts";

/** How a job ended, for those who wait for it. */
export type Outcome<Result> =
  | { readonly status: "ok"; readonly value: Result }
  | { readonly status: "dead"; readonly message: string }
  /** Of `cancel`, where it was given one. */
  | { readonly status: "cancelled"; readonly reason: string | undefined }
  /** It had not started when its time was over. */
  | { readonly status: "expired" };

/** As it lies on the server; one of them. */
export interface StoredOutcome {
  readonly value?: Buffer;
  readonly message?: string;
  /** The reason, or empty. */
  readonly cancelled?: string;
  readonly expired?: true;
}

export interface QueueValues<Payload, Result> {
  /** Encrypted values are bound to their queue. */
  readonly context: CodecContext;
  readonly payload: Codec<Payload>;
  readonly result: Codec<Result>;
  readonly outcome: Codec<StoredOutcome>;
  readonly progress: Codec<unknown>;
  readonly log: Codec<string>;
  readonly failures: Codec<FailureRecord>;
  /** How its jobs end, for jobs that wait for them. */
  readonly told: Codec<Told>;
  /** What its steps return, and signals. */
  readonly step: Codec<{ readonly value?: unknown }>;
}

export function queueValues<Payload, Result>(
  core: Core,
  queueKey: string,
  options: QueueOptions<Payload, Result>,
): QueueValues<Payload, Result> {
  const { payload, result, serializer, compress, encrypt } = options;
  const stored = { serializer, compress, encrypt };
  return {
    context: { aad: queueKey },
    payload: core.codec<Payload>({ ...stored, schema: checkSchema(payload, "payload") }),
    result: core.codec<Result>({ ...stored, schema: checkSchema(result, "result") }),
    outcome: core.codec({ ...stored, serializer: "msgpack" }),
    failures: core.codec<FailureRecord>(stored),
    // Of its own only the keys: the queue that waits reads it. What comes from one without keys is in clear.
    told: core.codec<Told>(encrypt === undefined ? {} : { encrypt: { ...encrypt, allowPlaintext: true } }),
    progress: core.codec<unknown>(stored),
    log: core.codec<string>(stored),
    step: core.codec(stored),
  };
}

export function stepValues({ step, context }: Pick<QueueValues<unknown, unknown>, "step" | "context">): StepValues {
  return {
    encode: (value) => step.encode(value === undefined ? {} : { value }, context),
    decode: (bytes) => step.decode(bytes, context).value,
  };
}

/** In front of an outcome that another queue has written, in the codec that all of them read; no other outcome begins so. */
const CANCELLED = "x".charCodeAt(0);
const FLOW: CodecContext = { aad: "a flow was cancelled" };

/** Of a job of any queue. */
export function cancelledElsewhere(
  { told }: Pick<QueueValues<unknown, unknown>, "told">,
  reason: string | undefined,
): Buffer {
  const mark = Buffer.from([CANCELLED]);
  return reason === undefined ? mark : Buffer.concat([mark, told.encode({ message: reason }, FLOW)]);
}

function elsewhereFrom({ told }: QueueValues<unknown, unknown>, bytes: Buffer): string | undefined {
  try {
    return bytes.length === 0 ? undefined : told.decode(bytes, FLOW).message;
  } catch {
    // Of a queue with keys of its own.
    return undefined;
  }
}

export function outcomeFrom<Result>(values: QueueValues<unknown, Result>, bytes: Buffer): Outcome<Result> {
  if (bytes[0] === CANCELLED) return { status: "cancelled", reason: elsewhereFrom(values, bytes.subarray(1)) };
  const { value, message = "", cancelled, expired } = values.outcome.decode(bytes, values.context);
  if (expired === true) return { status: "expired" };
  if (cancelled !== undefined) return { status: "cancelled", reason: cancelled === "" ? undefined : cancelled };
  if (value === undefined) return { status: "dead", message };
  return { status: "ok", value: values.result.decode(Buffer.from(value), values.context) };
}

/** Why a job was cancelled; undefined also where this process cannot read it. */
export function reasonFrom(values: QueueValues<unknown, unknown>, outcome: Buffer): string | undefined {
  const ended = readable(() => outcomeFrom(values, outcome)).value;
  return ended?.status === "cancelled" ? ended.reason : undefined;
}

/** What is remembered of a job's failures: nothing where this process cannot read it, so that the job is run all the same. */
export function failuresFrom(values: QueueValues<unknown, unknown>, info: Buffer | null): FailureRecord | undefined {
  return info === null || info.length === 0
    ? undefined
    : readable(() => values.failures.decode(info, values.context)).value;
}

/** What was stored with a schema that has changed since, or with a key that is gone, is undefined, and `problem` says why. */
export function readable<T>(read: () => T): { readonly value: T | undefined; readonly problem: string | undefined } {
  try {
    return { value: read(), problem: undefined };
  } catch (error) {
    if (error instanceof CodecError) return { value: undefined, problem: error.message };
    throw error;
  }
}
