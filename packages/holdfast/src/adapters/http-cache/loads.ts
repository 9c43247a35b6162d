/** What a load of the cache does here: it runs the handler, decides what becomes of its response, and makes of it what is stored. */
import type { Runtime } from "../../base/runtime.ts";
import type { Cache } from "../../cache/cache.ts";
import type { CacheLoad, CacheLoadContext } from "../../cache/load.ts";
import { cacheStatus } from "./cache-status.ts";
import { freshened, isKnown, validatorsOf } from "./conditional.ts";
import { ageOf, servesErrors, type Stored, type StoredPass, type StoredResponse } from "./entry.ts";
import type { Head, Plan, Ran } from "./exchange.ts";
import { field, type Fields, httpDate, without } from "./headers.ts";
import type { HttpCacheSettings } from "./options.ts";
import { type Life, lifeOf, storedFields } from "./policy.ts";
import { tagsOf } from "./tags.ts";
import { Variants } from "./variants.ts";
import { variantOf, varyNames } from "./vary.ts";
import type { Visit } from "./visit.ts";

/** Under which id; of a variant also what it is one of. */
export interface Place {
  readonly id: string;
  readonly base:
    | { readonly id: string; readonly names: readonly string[]; readonly nonce: string; readonly variant: string }
    | undefined;
}

type Verdict =
  | { readonly is: "kept"; readonly life: Life }
  | { readonly is: "not-modified"; readonly previous: StoredResponse }
  | { readonly is: "failed"; readonly previous: StoredResponse }
  | { readonly is: "for nobody else" };

/** How long nobody waits for a response that turned out not to be for others. */
const PASS_MS = 1_000;
/** How long a handler that failed is left alone while something stale is served. */
const FAILED_MS = 1_000;
const DATE = new Set(["date"]);
const VARY_MS = 24 * 3_600_000;

export class Loads {
  readonly #cache: Cache<Stored>;
  readonly #settings: HttpCacheSettings;
  readonly #runtime: Runtime;
  readonly #now: () => Promise<number>;
  readonly #variants: Variants;

  constructor(cache: Cache<Stored>, settings: HttpCacheSettings, runtime: Runtime, now: () => Promise<number>) {
    this.#cache = cache;
    this.#settings = settings;
    this.#runtime = runtime;
    this.#now = now;
    this.#variants = new Variants(settings.maxVariants);
  }

  of(visit: Visit, place: Place): CacheLoad<Stored, Stored> {
    return (context) => this.#load(visit, place, context);
  }

  async #load(visit: Visit, place: Place, context: CacheLoadContext<Stored>): Promise<Stored> {
    const at = await this.#now();
    const previous = context.previous?.kind === "response" ? context.previous : undefined;
    const client = visit.begins(previous, at);
    if (client === undefined) {
      context.skip();
      return { kind: "pass", until: at };
    }
    const { exchange } = visit;
    const run = client === "own" ? exchange.run.bind(exchange) : exchange.rerun!;
    let verdict: Verdict = { is: "for nobody else" };
    const decide = (head: Head): Plan => {
      verdict = this.#judge(visit, head, previous, at);
      const plan = this.#plan(visit, place, head, verdict, previous !== undefined);
      if (client === "nobody") return { ...plan, client: "nothing" };
      if (plan.client !== "nothing") visit.answered();
      return plan;
    };
    try {
      const ran = await run(previous === undefined ? undefined : validatorsOf(previous.fields), decide);
      const stored = await this.#stored(visit, place, context, ran, verdict, at);
      if (client === "own") visit.loaded(stored);
      return stored;
    } catch (error) {
      const stale = previous !== undefined && servesErrors(previous, at) ? previous : undefined;
      const stored = stale === undefined ? undefined : failed(stale, context, await this.#now());
      if (client === "own") {
        if (stored === undefined) visit.failed(error);
        else visit.loaded(stored);
      }
      if (stored === undefined) throw error;
      return stored;
    }
  }

  #judge({ exchange }: Visit, head: Head, previous: StoredResponse | undefined, at: number): Verdict {
    const { status, fields } = head;
    if (previous !== undefined && status === 304) return { is: "not-modified", previous };
    if (previous !== undefined && status >= 500 && servesErrors(previous, at)) return { is: "failed", previous };
    const authorization = exchange.header("authorization") !== undefined;
    const life = lifeOf(status, fields, { authorization, heuristic: this.#settings.heuristic, now: at });
    const isLong = Number(field(fields, "content-length") ?? 0) > this.#settings.maxBody;
    return life === undefined || isLong || tagsOf(fields) === undefined
      ? { is: "for nobody else" }
      : { is: "kept", life };
  }

  #plan({ exchange }: Visit, place: Place, { status, fields }: Head, { is }: Verdict, wasStored: boolean): Plan {
    const fwd = wasStored ? "stale" : place.base === undefined ? "uri-miss" : "vary-miss";
    const said = cacheStatus(this.#settings.cacheStatus, { fwd, stored: is === "kept" });
    if (is === "not-modified" || is === "failed") return { client: "nothing", cacheStatus: said, keep: 0 };
    const client = isKnown((name) => exchange.header(name), status, fields) ? "not-modified" : "response";
    return { client, cacheStatus: said, keep: is === "kept" ? this.#settings.maxBody : 0 };
  }

  async #stored(
    visit: Visit,
    place: Place,
    context: CacheLoadContext<Stored>,
    ran: Ran,
    verdict: Verdict,
    at: number,
  ): Promise<Stored> {
    if (verdict.is === "failed") return failed(verdict.previous, context, await this.#now());
    if (verdict.is === "not-modified") return this.#renewed(visit, context, ran, verdict.previous, at);
    if (verdict.is === "for nobody else" || ran.body === undefined) {
      // An error of the handler's is soon over: the next one may try.
      if (ran.status >= 500) context.skip();
      return pass(context, await this.#now());
    }
    const { status, body } = ran;
    const fields = dated(storedFields(ran.fields), at);
    const response: StoredResponse = { kind: "response", status, fields, body, at, life: verdict.life };
    return this.#placed(visit, place, context, response);
  }

  /** The stored response goes on, with the fields of the 304. */
  #renewed(
    { exchange }: Visit,
    context: CacheLoadContext<Stored>,
    ran: Ran,
    previous: StoredResponse,
    at: number,
  ): Stored {
    const fields = dated(freshened(without(previous.fields, DATE), storedFields(ran.fields)), at);
    const authorization = exchange.header("authorization") !== undefined;
    const life = lifeOf(previous.status, fields, { authorization, heuristic: this.#settings.heuristic, now: at });
    const { kind, status, body } = previous;
    if (life === undefined) context.skip();
    else keep(context, life, at, at, fields);
    return { kind, status, fields, body, at, life: life ?? previous.life };
  }

  /** Under the id that it was loaded for, or, where it depends on more of the request than that does, under another one. */
  async #placed(
    { exchange }: Visit,
    place: Place,
    context: CacheLoadContext<Stored>,
    response: StoredResponse,
  ): Promise<Stored> {
    const { base } = place;
    const names = varyNames(response.fields) as readonly string[];
    const now = await this.#now();
    const until = now + response.life.fresh + this.#settings.keepMs;
    if (names.every((name) => base?.names.includes(name))) {
      const mayStay = base === undefined || this.#variants.take(base.nonce, base.variant, now, until);
      if (!mayStay) context.skip();
      keep(context, response.life, response.at, now, response.fields);
      return response;
    }
    const nonce = this.#runtime.randomBytes(12).toString("base64url");
    const vary = { kind: "vary", nonce, until: now + VARY_MS } as const;
    if (base !== undefined) {
      // Empty: the URL may have been dropped since this response was loaded.
      const all = [...new Set([...base.names, ...names])].toSorted();
      await this.#cache.set(base.id, { ...vary, names: all }, { ttl: VARY_MS });
      context.skip();
      return pass(context, now);
    }
    const variant = variantOf(names, (name) => exchange.header(name));
    this.#variants.take(nonce, variant, now, until);
    const tags = tagsOf(response.fields) ?? [];
    await this.#cache.set(`v:${nonce}:${variant}`, response, { ttl: ttlOf(response.life, response.at, now), tags });
    context.ttl = VARY_MS;
    // Captured before the load, which those of the variant are not: what drops the response drops the way to it.
    context.tags = tags;
    return { ...vary, names };
  }
}

function failed(previous: StoredResponse, context: CacheLoadContext<Stored>, now: number): StoredResponse {
  context.ttl = FAILED_MS;
  context.tags = tagsOf(previous.fields) ?? [];
  return { ...previous, failedUntil: now + FAILED_MS };
}

function pass(context: CacheLoadContext<Stored>, now: number): StoredPass {
  context.ttl = PASS_MS;
  return { kind: "pass", until: now + PASS_MS };
}

function keep(context: CacheLoadContext<Stored>, life: Life, at: number, now: number, fields: Fields): void {
  context.ttl = ttlOf(life, at, now);
  context.tags = tagsOf(fields) ?? [];
}

/** For how long the cache takes it as fresh: what is to be asked about each time is stale at once, and kept. */
function ttlOf(life: Life, at: number, now: number): number {
  return life.always ? 1 : Math.max(1, Math.ceil(life.fresh - ageOf({ at, life } as StoredResponse, now)));
}

/** With the date that its age counts from. */
function dated(fields: Fields, at: number): Fields {
  return field(fields, "date") === undefined ? [...fields, ["date", httpDate(at)]] : fields;
}
