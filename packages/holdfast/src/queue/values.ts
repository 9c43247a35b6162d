/** The three kinds of values that a queue stores, each with the handle's serializer, compression and encryption. */
import type { Codec, CodecContext } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { FailureRecord } from "./failure.ts";
import type { Told } from "./flows/fan-in.ts";
import type { StepValues } from "./steps/steps.ts";
import type { QueueOptions } from "./options.ts";

/** How a job ended, for those who wait for it. */
export type Outcome<Result> =
  | { readonly status: "ok"; readonly value: Result }
  | { readonly status: "dead"; readonly message: string };

export interface QueueValues<Payload, Result> {
  /** Encrypted values are bound to their queue. */
  readonly context: CodecContext;
  readonly payload: Codec<Payload>;
  readonly result: Codec<Result>;
  readonly outcome: Codec<{ readonly value?: Buffer; readonly message?: string }>;
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
    payload: core.codec<Payload>({ ...stored, schema: payload }),
    result: core.codec<Result>({ ...stored, schema: result }),
    outcome: core.codec({ ...stored, serializer: "msgpack" }),
    failures: core.codec<FailureRecord>(stored),
    // Of its own only the keys: the queue that waits reads it. What comes from one without keys is in clear.
    told: core.codec<Told>(encrypt === undefined ? {} : { encrypt: { ...encrypt, allowPlaintext: true } }),
    step: core.codec(stored),
  };
}

export function stepValues({ step, context }: Pick<QueueValues<unknown, unknown>, "step" | "context">): StepValues {
  return {
    encode: (value) => step.encode(value === undefined ? {} : { value }, context),
    decode: (bytes) => step.decode(bytes, context).value,
  };
}
