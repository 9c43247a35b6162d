/** `idempotent` for Express, and for whatever takes middleware of Node's requests and responses. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Holdfast } from "../../holdfast.ts";
import { noteRun } from "../idempotent/exchange.ts";
import { IdempotentHttp } from "../idempotent/idempotent.ts";
import type { IdempotentOptions } from "../idempotent/options.ts";
import { HeldResponse, textOfBody } from "../node/hold.ts";
import { headerOf, sendStored } from "../node/intercept.ts";

/** What of Express's `Request` is needed. */
export interface ExpressIdempotentRequest extends IncomingMessage {
  readonly originalUrl?: string;
  /** As the parser in front has left it. */
  readonly body?: unknown;
}

export type ExpressIdempotent = (
  request: ExpressIdempotentRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Returns middleware that runs what is behind it once for each `Idempotency-Key`, and sends the stored response to repeats. No I/O.
 * It belongs behind the parser of the body.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * app.post("/payments", express.json(), idempotent(hf, { required: true }), pay);
 */
export function idempotent(hf: Holdfast, options?: IdempotentOptions): ExpressIdempotent {
  const http = new IdempotentHttp(hf, options);

  const answer = async (
    request: ExpressIdempotentRequest,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): Promise<void> => {
    let own: HeldResponse | undefined;
    try {
      const handled = await http.handle({
        method: request.method ?? "GET",
        path: request.originalUrl ?? request.url ?? "/",
        header: (name) => headerOf(request, name),
        body: async (max) => textOfBody(request.body, request.headers, max),
        run: (run, max) => {
          noteRun(request, run);
          own = new HeldResponse(response, max);
          next();
          return own.held;
        },
      });
      if (handled.by === "nobody") return next();
      if (handled.by === "handler") return own!.send();
      own?.discard();
      return sendStored(request, response, handled);
    } catch (error) {
      own?.discard();
      return next(error);
    }
  };
  return (request, response, next) => void answer(request, response, next);
}
