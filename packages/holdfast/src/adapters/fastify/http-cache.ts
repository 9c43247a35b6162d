/** `httpCache` for Fastify, a plugin. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Holdfast } from "../../holdfast.ts";
import type { Validators } from "../http-cache/conditional.ts";
import type { Decide, Ran } from "../http-cache/exchange.ts";
import { HttpCache, type HttpCachePurge } from "../http-cache/http-cache.ts";
import { MARK, newMark } from "../http-cache/marks.ts";
import type { HttpCacheOptions } from "../http-cache/options.ts";
import { NodeExchange, withConditions } from "../node/exchange.ts";
import { afterChange, byName, fieldsOf, sendStored } from "../node/intercept.ts";

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly protocol: string;
  readonly host: string;
  readonly originalUrl: string;
}

interface FastifyReply {
  readonly raw: ServerResponse;
  readonly sent: boolean;
  code(status: number): unknown;
  header(name: string, value: unknown): unknown;
  send(payload?: unknown): unknown;
}

/** What of a Fastify instance is needed. */
export interface FastifyApp {
  addHook(name: "onRequest", hook: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): unknown;
  inject(options: { method: "GET"; url: string; headers: Record<string, string | string[]> }): Promise<{
    readonly statusCode: number;
    readonly headers: Record<string, unknown>;
    readonly rawPayload: Buffer;
  }>;
}

/**
 * Caches the responses of what is registered with it as they say (RFC 9111), once for the fleet.
 * @example
 * const cache = httpCache(hf);
 * await app.register(cache);
 * await cache.purge({ tags: ["article-7"] });
 */
export interface FastifyHttpCache {
  (app: FastifyApp, options: unknown, done: () => void): void;
  /** Removes responses by their tags (`Cache-Tag`, `Surrogate-Key`), by their URLs, or all. Idempotent. Cost: as `cache.invalidate`. */
  purge(options: HttpCachePurge): Promise<void>;
}

/** No I/O. @throws InvalidArgumentError for options that it does not know */
export function httpCache(hf: Holdfast, options?: HttpCacheOptions): FastifyHttpCache {
  const cache = new HttpCache(hf, options);
  const mark = newMark(hf.driver.runtime);

  const onRequest = async (app: FastifyApp, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { raw } = request;
    if (raw.headers[MARK] === mark) {
      delete raw.headers[MARK];
      return undefined;
    }
    let letRun!: () => void;
    const runs = new Promise<"runs">((resolve) => {
      letRun = () => resolve("runs");
    });
    const url = `${request.protocol}://${request.host}${request.originalUrl}`;
    const rerun = injected(app, raw, request.originalUrl, mark);
    const exchange = new NodeExchange(raw, reply.raw, url, letRun, rerun);
    const handling = cache.handle(exchange);
    const handled = await Promise.race([runs, handling]);
    if (handled === "runs") {
      // Fastify has sent its own by then, as far as it knows.
      void handling.then(
        (late) => late.by === "cache" && sendStored(raw, reply.raw, late),
        () => undefined,
      );
      return undefined;
    }
    if (handled.by === "cache") {
      reply.code(handled.status);
      for (const [name, value] of byName(handled.fields)) reply.header(name, value);
      if (raw.method === "HEAD") reply.header("content-length", handled.body.length);
      return reply.send(raw.method === "HEAD" || handled.status === 304 ? undefined : Buffer.from(handled.body));
    }
    if (handled.by === "nobody") {
      if (handled.cacheStatus !== undefined) reply.header("cache-status", handled.cacheStatus);
      if (exchange.method !== "GET" && exchange.method !== "HEAD")
        afterChange(reply.raw, (status, fields) => cache.changed(exchange, { status, fields }));
    }
    return undefined;
  };

  const plugin = (app: FastifyApp, _: unknown, done: () => void): void => {
    app.addHook("onRequest", (request, reply) => onRequest(app, request, reply));
    done();
  };
  return Object.assign(plugin, {
    purge: (given: HttpCachePurge) => cache.purge(given),
    // Its hook is for the routes beside it, not for those of a scope of its own.
    [Symbol.for("skip-override")]: true,
  });
}

/** Runs the handler by a request that no client has sent. */
function injected(app: FastifyApp, raw: IncomingMessage, url: string, mark: string) {
  return async (validators: Validators | undefined, decide: Decide): Promise<Ran> => {
    const headers = { ...raw.headers };
    withConditions(headers, validators);
    const given = Object.entries(headers).filter((each): each is [string, string | string[]] => each[1] !== undefined);
    const response = await app.inject({ method: "GET", url, headers: { ...Object.fromEntries(given), [MARK]: mark } });
    const head = { status: response.statusCode, fields: fieldsOf(response.headers as never) };
    const { keep } = decide(head);
    return { ...head, body: keep >= response.rawPayload.length && keep > 0 ? response.rawPayload : undefined };
  };
}
