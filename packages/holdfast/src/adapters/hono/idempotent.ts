/** `idempotent` for Hono. */
import type { Holdfast } from "../../holdfast.ts";
import { responseOf } from "../fetch/exchange.ts";
import { hold, wholeBody } from "../fetch/hold.ts";
import { requestOf } from "../fetch/idempotent.ts";
import { noteRun } from "../idempotent/exchange.ts";
import { IdempotentHttp } from "../idempotent/idempotent.ts";
import type { IdempotentOptions } from "../idempotent/options.ts";
import { type HonoContext, replace } from "./http-cache.ts";

/** What of Hono's `Context` is needed. */
export interface HonoIdempotentContext extends HonoContext {
  readonly req: { raw: Request; arrayBuffer(): Promise<ArrayBuffer> };
}

export type HonoIdempotent = (context: HonoIdempotentContext, next: () => Promise<void>) => Promise<void>;

/**
 * Returns middleware that runs what is behind it once for each `Idempotency-Key`, and sends the stored response to repeats. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * app.post("/payments", idempotent(hf, { required: true }), (c) => pay(c));
 */
export function idempotent(hf: Holdfast, options?: IdempotentOptions): HonoIdempotent {
  const http = new IdempotentHttp(hf, options);
  return async (context, next) => {
    const request = context.req.raw;
    let own: Response | undefined;
    const handled = await http.handle({
      ...requestOf(request),
      body: async (max) => {
        if (!request.bodyUsed) return wholeBody(request.clone().body, max);
        // Read before by other middleware; Hono has kept it.
        const body = new Uint8Array(await context.req.arrayBuffer());
        return body.length > max ? undefined : body;
      },
      run: async (run, max) => {
        noteRun(request, run);
        await next();
        const { held, response } = await hold(context.res!, max);
        own = response;
        return held;
      },
    });
    if (handled.by === "nobody") return next();
    return replace(context, handled.by === "handler" ? own : responseOf({ ...handled, by: "cache" }, request.method));
  };
}
