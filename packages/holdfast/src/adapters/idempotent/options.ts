import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, listOf, type OptionNames, wholeBetween } from "../../base/options.ts";
import type { IdempotencyOptions } from "../../idempotency/options.ts";

/** A request as the options' functions see it. */
export interface IdempotentRequest {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  /** A field by its name in lower case. */
  readonly header: (name: string) => string | undefined;
}

type IdempotentStoreOptions = Pick<
  IdempotencyOptions,
  "ttl" | "lease" | "maxHold" | "timeout" | "compress" | "encrypt"
>;

/** Those of the idempotency that holds the responses, and: */
export interface IdempotentOptions extends IdempotentStoreOptions {
  /** Of the idempotency that holds the responses. @default "http" */
  readonly name?: string;
  /** Methods that it is for; the others go past it. @default ["POST", "PATCH"] */
  readonly methods?: readonly string[];
  /** Whether a request without a key is answered 400; else it goes past. @default false */
  readonly required?: boolean;
  /** Whose key it is, such as a user's or a tenant's id: the same key of another one is another key. @default all have one set of keys */
  readonly scope?: (request: IdempotentRequest) => string;
  /** What the request is about. @default its method, its path and a hash of its body */
  readonly fingerprint?: (request: IdempotentRequest) => string | Uint8Array;
  /** How long a repeat waits for the first, before it is answered 409. @default 0 */
  readonly wait?: Duration;
  /** Whether a response with this status is stored. @default below 500 */
  readonly store?: (status: number) => boolean;
  /** Further fields of a response that are stored and sent again. */
  readonly headers?: readonly string[];
  /** The longest body of a response that is stored, and of a request that is read, in bytes. @default 1048576 (1 MiB) */
  readonly maxBody?: number;
}

export const IDEMPOTENT_OPTIONS: OptionNames<IdempotentOptions> = {
  ttl: true,
  lease: true,
  maxHold: true,
  timeout: true,
  compress: true,
  encrypt: true,
  name: true,
  methods: true,
  required: true,
  scope: true,
  fingerprint: true,
  wait: true,
  store: true,
  headers: true,
  maxBody: true,
};

export interface IdempotentSettings {
  readonly methods: ReadonlySet<string>;
  readonly required: boolean;
  readonly scope: ((request: IdempotentRequest) => string) | undefined;
  readonly fingerprint: ((request: IdempotentRequest) => string | Uint8Array) | undefined;
  readonly wait: Duration;
  readonly store: (status: number) => boolean;
  readonly headers: ReadonlySet<string>;
  readonly maxBody: number;
  readonly keys: IdempotentStoreOptions;
}

/** Headers that belong to the response itself, rather than to one moment, one connection or one client. */
const HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "link",
  "location",
  "vary",
];

export function idempotentSettings(options: IdempotentOptions): IdempotentSettings {
  const { name: _, methods = ["POST", "PATCH"], required = false, scope, fingerprint, wait = 0, ...rest } = options;
  const { store = (status: number) => status < 500, headers = [], maxBody = 2 ** 20, ...keys } = rest;
  for (const [field, given] of Object.entries({ scope, fingerprint }))
    if (given !== undefined && typeof given !== "function")
      throw new InvalidArgumentError(field, "a function of the request", given);
  if (typeof store !== "function") throw new InvalidArgumentError("store", "a function of the status", store);
  if (typeof required !== "boolean") throw new InvalidArgumentError("required", "true or false", required);
  return {
    methods: new Set(namesOf("methods", methods).map((each) => each.toUpperCase())),
    required,
    scope,
    fingerprint,
    wait,
    store,
    headers: new Set([...HEADERS, ...namesOf("headers", headers).map((each) => each.toLowerCase())]),
    maxBody: wholeBetween("maxBody", maxBody, 0, 2 ** 29),
    keys,
  };
}

function namesOf(field: string, given: readonly string[]): string[] {
  const names = listOf(field, given, "names");
  for (const name of names)
    if (typeof name !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      throw new InvalidArgumentError(field, "a list of names", name);
  return names;
}
