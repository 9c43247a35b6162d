/** `idempotent` for handlers of `Request` and `Response`. */
import type { Holdfast } from "../../holdfast.ts";
import { noteRun } from "../idempotent/exchange.ts";
import { IdempotentHttp } from "../idempotent/idempotent.ts";
import type { IdempotentOptions } from "../idempotent/options.ts";
import { responseOf } from "./exchange.ts";
import { hold, wholeBody } from "./hold.ts";
import type { FetchHandler } from "./http-cache.ts";

/** Makes of a handler one that runs once for each `Idempotency-Key`. */
export type FetchIdempotent = <Rest extends unknown[]>(
  handler: FetchHandler<Rest>,
) => (request: Request, ...rest: Rest) => Promise<Response>;

/**
 * Returns what makes of a handler one that runs once for each `Idempotency-Key`, and sends the stored response to repeats. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * const once = idempotent(hf, { scope: (request) => userOf(request) });
 * export default { fetch: once(handler) };
 */
export function idempotent(hf: Holdfast, options?: IdempotentOptions): FetchIdempotent {
  const http = new IdempotentHttp(hf, options);
  return (handler) =>
    async (request, ...rest) => {
      let own: Response | undefined;
      const handled = await http.handle({
        ...requestOf(request),
        body: (max) => wholeBody(request.clone().body, max),
        run: async (run, max) => {
          noteRun(request, run);
          const { held, response } = await hold(await handler(request, ...rest), max);
          own = response;
          return held;
        },
      });
      if (handled.by === "nobody") return handler(request, ...rest);
      if (handled.by === "handler") return own!;
      return responseOf({ ...handled, by: "cache" }, request.method);
    };
}

export function requestOf({ method, url, headers }: Request): {
  method: string;
  path: string;
  header: (name: string) => string | undefined;
} {
  const { pathname, search } = new URL(url);
  return { method, path: pathname + search, header: (name) => headers.get(name) ?? undefined };
}
