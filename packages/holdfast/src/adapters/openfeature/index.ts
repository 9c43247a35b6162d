/** `holdfast/openfeature`: flags as a provider of OpenFeature's server SDK. Evaluations ask nobody: they are what `flags.client()` knows. */
import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from "@openfeature/server-sdk";
import type { FlagsChange, FlagsClient } from "../../flags/client.ts";
import type { FlagValue } from "../../flags/definition.ts";
import type { FlagContext, FlagEvaluation } from "../../flags/evaluation.ts";
import type { Flags } from "../../flags/flags.ts";
import type { FlagsClientOptions } from "../../flags/options.ts";

/**
 * @example
 * await OpenFeature.setProviderAndWait(new HoldfastProvider(hf.flags("web")));
 * await OpenFeature.getClient().getBooleanValue("new-checkout", false, { targetingKey: user.id });
 */
export class HoldfastProvider implements Provider {
  readonly metadata: { readonly name: string } = { name: "holdfast" };
  readonly runsOn = "server";
  readonly events: OpenFeatureEventEmitter = new OpenFeatureEventEmitter();
  readonly #flags: Flags;
  readonly #options: FlagsClientOptions | undefined;
  #client: FlagsClient | undefined;
  #unlisten: (() => void) | undefined;
  /** Whether the SDK was told last that the flags may be old, or that they are not known. */
  #isStale = false;

  /** No I/O: the SDK calls `initialize`. */
  constructor(flags: Flags, options?: FlagsClientOptions) {
    this.#flags = flags;
    this.#options = options;
  }

  /** Waits until the flags are known. @throws what the server refuses */
  async initialize(): Promise<void> {
    const client = (this.#client ??= this.#flags.client(this.#options));
    try {
      await client.ready();
      this.#isStale = client.stale;
    } catch (error) {
      // The client goes on trying: once it knows the flags, the SDK is told that they are ready.
      this.#isStale = true;
      throw error;
    } finally {
      this.#unlisten ??= client.onChange((change) => this.#tell(change));
    }
  }

  async onClose(): Promise<void> {
    const client = this.#client;
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#client = undefined;
    await client?.close();
  }

  async resolveBooleanEvaluation(
    flag: string,
    fallback: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return this.#resolve(flag, fallback, context);
  }

  async resolveStringEvaluation(
    flag: string,
    fallback: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    return this.#resolve(flag, fallback, context);
  }

  async resolveNumberEvaluation(
    flag: string,
    fallback: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>> {
    return this.#resolve(flag, fallback, context);
  }

  async resolveObjectEvaluation<T extends JsonValue>(
    flag: string,
    fallback: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return this.#resolve(flag, fallback, context);
  }

  #resolve<T extends JsonValue>(flag: string, fallback: T, context: EvaluationContext): ResolutionDetails<T> {
    // The SDK does not ask before `initialize`; a null is an object to it, and no flag's.
    const client = this.#client;
    if (client === undefined) return { value: fallback, reason: "ERROR", errorCode: NOT_READY };
    return detailsOf(client.evaluate(flag, (fallback ?? {}) as FlagValue, context as FlagContext), fallback);
  }

  #tell({ flags, stale }: FlagsChange): void {
    if (flags.length > 0) this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged: [...flags] });
    if (stale === this.#isStale) return;
    this.#isStale = stale;
    this.events.emit(stale ? ProviderEvents.Stale : ProviderEvents.Ready);
  }
}

type Code = NonNullable<ResolutionDetails<unknown>["errorCode"]>;
const NOT_READY = "PROVIDER_NOT_READY" as Code;

function detailsOf<T>(evaluation: FlagEvaluation<FlagValue>, fallback: T): ResolutionDetails<T> {
  const { value, variant, reason, version, rule, errorCode, errorMessage } = evaluation;
  return {
    value: variant === undefined ? fallback : (value as T),
    reason,
    flagMetadata: { version, ...(rule !== undefined && { rule }) },
    ...(variant !== undefined && { variant }),
    ...(errorCode !== undefined && { errorCode: errorCode as Code }),
    ...(errorMessage !== undefined && { errorMessage }),
  };
}
