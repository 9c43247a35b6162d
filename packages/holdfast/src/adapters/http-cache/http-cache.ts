/**
 * Responses of a handler, cached as RFC 9111 has it for a cache that many share.
 *
 * Promises: of all requests in all processes that want the same response, one runs the handler, and the others get what it stored; nothing is stored that
 * the response, or the request, keeps from others; a response from before an unsafe request, or a purge, is not served after it; a server that is away, or
 * slow, costs the hits only: the handler runs. How a request gets here and its response to the client is the adapters' part (exchange.ts).
 */
import { HoldfastError, InvalidArgumentError } from "../../base/errors.ts";
import { listOf, parseOptions } from "../../base/options.ts";
import type { Cache } from "../../cache/cache.ts";
import type { CacheOptions } from "../../cache/options.ts";
import { shortened } from "../../cache/cached/key.ts";
import { ServerClock } from "../../core/clock/server-clock.ts";
import type { Holdfast } from "../../holdfast.ts";
import { cacheStatus, type Status } from "./cache-status.ts";
import { fieldsOf304, isKnown } from "./conditional.ts";
import { ageOf, type Stored, type StoredResponse, useOf } from "./entry.ts";
import type { Exchange, Handled, Head } from "./exchange.ts";
import { field } from "./headers.ts";
import { Loads, type Place } from "./loads.ts";
import { HTTP_CACHE_OPTIONS, type HttpCacheOptions, httpCacheSettings, type HttpCacheSettings } from "./options.ts";
import { variantOf } from "./vary.ts";
import { OWN, Visit } from "./visit.ts";

export interface HttpCachePurge {
  /** Every response with one of these in its `Cache-Tag` or `Surrogate-Key`. */
  readonly tags?: Iterable<string>;
  /** All variants of these absolute URLs. */
  readonly urls?: Iterable<string>;
  /** Everything that is stored. */
  readonly all?: boolean;
}

const PURGE_OPTIONS = { tags: true, urls: true, all: true } as const;
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
/** A URL's list of fields, and one more for each that turns out to be too short. */
const MAX_HOPS = 3;
const NOTHING = new Uint8Array();

export class HttpCache {
  readonly name: string;
  readonly #settings: HttpCacheSettings;
  readonly #clock: ServerClock;
  /** Answers with what is stale at once, and loads behind that. */
  readonly #lenient: Cache<Stored>;
  readonly #strict: Cache<Stored>;
  readonly #loads: Loads;

  constructor(hf: Holdfast, options: HttpCacheOptions = {}) {
    const { name = "http" } = options ?? {};
    const settings = parseOptions(`httpCache ${JSON.stringify(name)}`, options, HTTP_CACHE_OPTIONS, httpCacheSettings);
    this.name = name;
    this.#settings = settings;
    this.#clock = ServerClock.of(hf.driver);
    const cache: CacheOptions<Stored> = {
      ...settings.cache,
      serializer: "msgpack",
      jitter: 0,
      grace: settings.keepMs,
      graceBackoff: 1,
    };
    this.#strict = hf.cache<Stored>(name, cache);
    this.#lenient = hf.cache<Stored>(name, { ...cache, softTimeout: 0 });
    this.#loads = new Loads(this.#strict, settings, hf.driver.runtime, () => this.#now());
  }

  /** What is to be done with a request. Cost: of a hit one GET, or two where the URL has variants. */
  async handle(exchange: Exchange): Promise<Handled> {
    const { method } = exchange;
    if (method !== "GET" && method !== "HEAD") return this.#nobody({ fwd: "method" });
    const visit = new Visit(exchange, this.#settings.clientDirectives, await this.#now());
    if (this.#goesPast(visit)) return this.#nobody({ fwd: "bypass" });
    try {
      const base = { id: this.#idOf(exchange), base: undefined };
      return method === "HEAD" || visit.asked.has("only-if-cached")
        ? await this.#look(visit, base)
        : await this.#through(visit, base);
    } catch (error) {
      if (visit.isRunning) return this.#own(visit);
      // The cache's own trouble is no client's.
      if (error instanceof HoldfastError) return this.#nobody({ fwd: "miss", detail: error.code });
      throw error;
    }
  }

  /** Drops what an unsafe request may have changed; resolves when no process serves it any more, or when the server is away: then once it is back. */
  async changed(exchange: Exchange, { status, fields }: Head): Promise<void> {
    if (SAFE.has(exchange.method) || status < 200 || status >= 400) return;
    const urls = [exchange.url];
    for (const name of ["location", "content-location"]) {
      const target = field(fields, name);
      if (target === undefined || !URL.canParse(target, exchange.url)) continue;
      const url = new URL(target, exchange.url);
      if (url.origin === new URL(exchange.url).origin) urls.push(url.href);
    }
    await this.#strict.deleteMany(urls.map((url) => this.#idOf({ ...asGet(exchange), url }))).catch(() => undefined);
  }

  /** Removes responses by their tags, by their URLs, or all. Idempotent. Cost: as the cache's `invalidate`, `deleteMany` and `clear`. */
  async purge(options: HttpCachePurge): Promise<void> {
    const { tags, urls, all } = parseOptions(
      `httpCache ${JSON.stringify(this.name)}`,
      options,
      PURGE_OPTIONS,
      (given) => {
        const { all = false } = given;
        if (typeof all !== "boolean") throw new InvalidArgumentError("all", "true or false", all);
        return { tags: given.tags, urls: listOf("urls", given.urls ?? [], "absolute URLs"), all };
      },
    );
    if (all) return this.#strict.clear();
    const ids = urls.map((url) => this.#idOf({ method: "GET", url: absolute(url), header: () => undefined }));
    await Promise.all([
      tags === undefined ? undefined : this.#strict.invalidate({ tags }),
      ids.length === 0 ? undefined : this.#strict.deleteMany(ids),
    ]);
  }

  async #through(visit: Visit, base: Place): Promise<Handled> {
    let place = base;
    for (let hops = 0; hops < MAX_HOPS; hops += 1) {
      const found = await this.#ask(visit, place);
      if (found === OWN) return { by: "handler" };
      if (found.kind === "response") return this.#answer(visit, found, await this.#now());
      if (found.kind === "pass") break;
      place = this.#variant(visit.exchange, base, found.names, found.nonce);
    }
    visit.leave();
    return this.#nobody({ fwd: "miss", detail: "pass" });
  }

  /** What there is for this visit under an id; what its own handler does is in it already. */
  async #ask(visit: Visit, place: Place): Promise<Stored | typeof OWN> {
    const load = this.#loads.of(visit, place);
    const first = visit.exchange.rerun === undefined ? this.#strict : this.#lenient;
    const found = await visit.either(first.getOrSet(place.id, load));
    if (visit.isRunning) return visit.own;
    if (found !== OWN && this.#isFor(visit, found, await this.#now())) return found;
    const again = await visit.either(this.#strict.getOrSet(place.id, load, { refresh: true }));
    if (visit.isRunning) return visit.own;
    // Loaded by another while this one waited: as good as its own.
    const isNew = again !== OWN && (again.kind !== "response" || again.at >= visit.startedAt);
    if (again !== OWN && (isNew || this.#isFor(visit, again, await this.#now()))) return again;
    return { kind: "pass", until: 0 };
  }

  #isFor(visit: Visit, found: Stored, now: number): boolean {
    return found.kind === "response" ? visit.takes(found, now) !== "no" : found.until > now;
  }

  async #own(visit: Visit): Promise<Handled> {
    const own = await visit.own;
    if (own === OWN || own.kind !== "response") return { by: "handler" };
    return this.#answer(visit, own, await this.#now());
  }

  /** Without a load. */
  async #look(visit: Visit, base: Place): Promise<Handled> {
    let found = await this.#strict.get(base.id);
    for (let hops = 1; hops < MAX_HOPS && found?.kind === "vary"; hops += 1)
      found = await this.#strict.get(this.#variant(visit.exchange, base, found.names, found.nonce).id);
    const now = await this.#now();
    if (found?.kind === "response" && useOf(found, now, visit.asked) !== "no") return this.#answer(visit, found, now);
    if (!visit.asked.has("only-if-cached")) return this.#nobody({ fwd: "method" });
    const status = cacheStatus(this.#settings.cacheStatus, { detail: "only-if-cached" });
    const fields = status === undefined ? [] : [["cache-status", status] as const];
    return { by: "cache", status: 504, fields, body: NOTHING };
  }

  #answer(visit: Visit, stored: StoredResponse, now: number): Handled {
    const { status, body } = stored;
    const age = ageOf(stored, now);
    const added: [string, string][] = [["age", String(Math.floor(age / 1_000))]];
    const said = cacheStatus(this.#settings.cacheStatus, statusOf(visit, stored, now));
    if (said !== undefined) added.push(["cache-status", said]);
    const fields = [...stored.fields, ...added];
    const isUnchanged = isKnown((name) => visit.exchange.header(name), status, fields);
    return isUnchanged
      ? { by: "cache", status: 304, fields: fieldsOf304(fields), body: NOTHING }
      : { by: "cache", status, fields, body };
  }

  #goesPast({ exchange, asked }: Visit): boolean {
    const { skip } = this.#settings;
    const names = ["range", "if-match", "if-unmodified-since"];
    return (
      asked.has("no-store") || names.some((name) => exchange.header(name) !== undefined) || skip?.(exchange) === true
    );
  }

  #nobody(status: Status): Handled {
    return { by: "nobody", cacheStatus: cacheStatus(this.#settings.cacheStatus, status) };
  }

  #idOf(request: Pick<Exchange, "method" | "url" | "header">): string {
    const { key } = this.#settings;
    return shortened(`u:${key === undefined ? request.url : key(request)}`, 200);
  }

  #variant(exchange: Exchange, base: Place, names: readonly string[], nonce: string): Place {
    const variant = variantOf(names, (name) => exchange.header(name));
    return { id: `v:${nonce}:${variant}`, base: { id: base.id, names, nonce, variant } };
  }

  /** The server's clock; this process's own where it cannot be asked. */
  async #now(): Promise<number> {
    return (await this.#clock.known().catch(() => undefined)) ?? new Date().getTime();
  }
}

function statusOf(visit: Visit, stored: StoredResponse, now: number): Status {
  const ttlMs = stored.life.fresh - ageOf(stored, now);
  const isStale = ttlMs <= 0 && !stored.life.always;
  if (stored.failedUntil !== undefined) return { fwd: "stale", ttlMs, detail: "failed" };
  if (visit.isRunning) return { fwd: "stale", fwdStatus: 304, stored: true };
  if (stored.at >= visit.startedAt) return { fwd: "miss", collapsed: true };
  return { hit: true, ttlMs, ...(isStale && { detail: "stale" }) };
}

function asGet(exchange: Exchange): Pick<Exchange, "method" | "header"> {
  return { method: "GET", header: (name) => exchange.header(name) };
}

function absolute(url: string): string {
  if (typeof url === "string" && URL.canParse(url)) return new URL(url).href;
  throw new InvalidArgumentError("urls", "absolute URLs", url);
}
