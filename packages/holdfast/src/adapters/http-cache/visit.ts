/**
 * One request for a response: whether its handler has run, and what its client is to get.
 *
 *     undecided ──► served      from the cache; a load that it begins runs the handler for nobody
 *               ──► running     its own handler, whose response is its client's
 */
import { Deferred } from "../../base/deferred.ts";
import { Directives } from "./directives.ts";
import { type Stored, type StoredResponse, type Use, useOf } from "./entry.ts";
import type { Exchange } from "./exchange.ts";

/** The handler's own response is on its way to the client. */
export const OWN: unique symbol = Symbol("own");

const NONE = new Directives(undefined);

export class Visit {
  readonly exchange: Exchange;
  /** What the client asks of caches. */
  readonly asked: Directives;
  /** By the server's clock. */
  readonly startedAt: number;
  readonly #own = new Deferred<typeof OWN | Stored>();
  #state: "undecided" | "served" | "running" = "undecided";

  constructor(exchange: Exchange, obeys: boolean, startedAt: number) {
    this.exchange = exchange;
    this.startedAt = startedAt;
    this.asked = obeys ? directivesOf(exchange) : NONE;
    this.#own.promise.catch(() => undefined);
  }

  /** While it runs: resolves when the handler's own response goes to the client, or with what goes in its place; rejects when the handler fails. */
  get own(): Promise<typeof OWN | Stored> {
    return this.#own.promise;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Whatever comes first: what the cache has, or the handler's own response. */
  either(found: Promise<Stored>): Promise<Stored | typeof OWN> {
    return Promise.race([this.own, found]);
  }

  /** Whether a stored response is this client's, which then gets no other. */
  takes(stored: StoredResponse, now: number): Use {
    if (this.isRunning) return "no";
    const use = useOf(stored, now, this.asked);
    const canBeReplaced = this.exchange.rerun !== undefined || use === "fresh" || use === "failed";
    if (use === "no" || !canBeReplaced) return this.#state === "served" ? "while-revalidate" : "no";
    this.#state = "served";
    return use;
  }

  /** It gets what is no stored response: no handler of its own is to run in a load. */
  leave(): void {
    if (this.#state === "undecided") this.#state = "served";
  }

  /** For which client a load of this visit runs the handler; undefined: it does not. */
  begins(previous: StoredResponse | undefined, now: number): "own" | "nobody" | undefined {
    if (this.#state === "undecided" && previous !== undefined) this.takes(previous, now);
    if (this.#state === "running") return undefined;
    if (this.#state === "served")
      return previous === undefined || this.exchange.rerun === undefined ? undefined : "nobody";
    this.#state = "running";
    return "own";
  }

  answered(): void {
    this.#own.resolve(OWN);
  }

  /** Of no effect where its client has an answer already. */
  loaded(stored: Stored): void {
    this.#own.resolve(stored);
  }

  failed(error: unknown): void {
    this.#own.reject(error);
  }
}

function directivesOf(exchange: Exchange): Directives {
  const control = exchange.header("cache-control");
  // What HTTP/1.0 had for it.
  const isOld = control === undefined && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(exchange.header("pragma") ?? "");
  return isOld ? new Directives("no-cache") : new Directives(control);
}
