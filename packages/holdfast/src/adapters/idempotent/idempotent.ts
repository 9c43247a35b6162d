/**
 * The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header) in front of a handler.
 *
 * What it promises is what `Idempotency` does: a response is stored before its client gets any of it, and a repeat of the request gets the same. While
 * the server is away requests with a key are answered 503, and the handler does not run.
 */
import { createHash } from "node:crypto";
import { isOutage, LeaseLostError } from "../../base/errors.ts";
import { givenOptions, parseOptions } from "../../base/options.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { Idempotency, IdempotencyTryResult } from "../../idempotency/idempotency.ts";
import type { IdempotencyRun } from "../../idempotency/runs.ts";
import type { Fields } from "../http-cache/headers.ts";
import type { Handled, Held, IdempotentExchange } from "./exchange.ts";
import { IDEMPOTENT_OPTIONS, type IdempotentOptions, type IdempotentSettings, idempotentSettings } from "./options.ts";
import { problem } from "./problem.ts";

interface Stored {
  readonly status: number;
  readonly fields: Fields;
  /** Null where it was too long to be stored. */
  readonly body: Uint8Array | null;
}

/** Thrown by a run whose response is its client's alone: a repeat runs again. */
class NotStored extends Error {
  /** What the handler itself has refused or answered, so that the next may be another request. */
  readonly isDecided: boolean;

  constructor(isDecided: boolean) {
    super("the response is not to be stored");
    this.isDecided = isDecided;
  }
}

const MAX_KEY = 255;
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const BARE = /^[\x21\x23-\x7e][\x21-\x7e]*$/;

export class IdempotentHttp {
  readonly #keys: Idempotency<Stored>;
  readonly #settings: IdempotentSettings;

  constructor(hf: Holdfast, options?: IdempotentOptions) {
    const { name = "http" } = givenOptions(options, IDEMPOTENT_OPTIONS);
    this.#settings = parseOptions(
      `idempotent ${JSON.stringify(name)}`,
      options,
      IDEMPOTENT_OPTIONS,
      idempotentSettings,
    );
    this.#keys = hf.idempotency<Stored>(name, {
      ...this.#settings.keys,
      serializer: "msgpack",
      store: "success",
      isFinal: (error) => error instanceof NotStored && error.isDecided,
    });
  }

  /** @throws what the handler throws, and what is a mistake in the set-up */
  async handle(exchange: IdempotentExchange): Promise<Handled> {
    const { methods, required } = this.#settings;
    if (!methods.has(exchange.method.toUpperCase())) return { by: "nobody" };
    const given = exchange.header("idempotency-key");
    if (given === undefined)
      return required
        ? problem(400, "Idempotency-Key is missing", "This request needs an Idempotency-Key header.")
        : { by: "nobody" };
    const key = keyOf(given);
    if (key === undefined)
      return problem(400, "Idempotency-Key is not valid", `It is one string of 1 to ${MAX_KEY} visible characters.`);
    const fingerprint = await this.#fingerprint(exchange);
    if (fingerprint === undefined)
      return problem(413, "The body is too long", "A request with an Idempotency-Key has a shorter one.");
    return this.#once(exchange, key, fingerprint);
  }

  async #once(exchange: IdempotentExchange, key: string, fingerprint: string | Uint8Array): Promise<Handled> {
    const { wait, maxBody } = this.#settings;
    let failure: { readonly of: unknown } | undefined;
    let result: IdempotencyTryResult<Stored>;
    try {
      const body = async (run: IdempotencyRun): Promise<Stored> => {
        const held = await exchange.run(named(run, key), maxBody).catch((error: unknown) => {
          failure = { of: error };
          throw error;
        });
        return this.#stored(held);
      };
      result = await this.#keys.tryRun(this.#idOf(exchange, key), body, { fingerprint, wait });
    } catch (error) {
      if (error instanceof NotStored) return { by: "handler" };
      if (failure?.of === error) throw error;
      // Another runs it by now, or its outcome is not known to be stored: a repeat finds out.
      if (error instanceof LeaseLostError) return inProgress(1_000);
      if (isOutage(error))
        return problem(503, "Try again later", "Whether this request was repeated could not be found out.", 1);
      throw error;
    }
    if (result.status === "busy") return inProgress(result.retryAfterMs);
    if (result.status === "mismatch")
      return problem(422, "Idempotency-Key is already used", "It was used for another request.");
    if (!result.replayed) return { by: "handler" };
    const { status, fields, body } = result.value;
    if (body === null) return problem(409, "The request was completed", "Its response was too long to be sent again.");
    return { by: "stored", status, fields: [...fields, ["idempotency-replayed", "true"]], body };
  }

  #stored({ status, fields, body, isBroken = false }: Held): Stored {
    const { store, headers } = this.#settings;
    if (isBroken || !store(status)) throw new NotStored(!isBroken && status < 500);
    return { status, fields: fields.filter(([name]) => headers.has(name)), body: body ?? null };
  }

  #idOf(exchange: IdempotentExchange, key: string): string {
    const scope = this.#settings.scope?.(exchange) ?? "";
    return `${scope.length}:${scope}:${key}`;
  }

  async #fingerprint(exchange: IdempotentExchange): Promise<string | Uint8Array | undefined> {
    const { fingerprint, maxBody } = this.#settings;
    if (fingerprint !== undefined) return fingerprint(exchange);
    const body = await exchange.body(maxBody);
    if (body === undefined) return undefined;
    const { method, path } = exchange;
    return `${method.toUpperCase()} ${path}\n${createHash("sha256").update(body).digest("base64")}`;
  }
}

/** A string as structured fields have it (RFC 8941), or as most clients send it, without its quotes. */
function keyOf(given: string): string | undefined {
  const quoted = QUOTED.exec(given)?.[1]?.replace(/\\(["\\])/g, "$1");
  const key = quoted ?? (BARE.test(given) ? given : "");
  return key.length > 0 && key.length <= MAX_KEY ? key : undefined;
}

/** With the client's key, without its scope. */
function named(run: IdempotencyRun, key: string): IdempotencyRun {
  const { fence, attempt } = run;
  return {
    key,
    fence,
    attempt,
    get signal() {
      return run.signal;
    },
  };
}

function inProgress(retryAfterMs: number): Handled {
  const detail = "A request with this Idempotency-Key is being processed.";
  return problem(409, "The request is in progress", detail, Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}
