/** `sse` for Hono. */
import type { Holdfast } from "../../holdfast.ts";
import { respond } from "../fetch/sse.ts";
import { handleOf, type LiveHandle } from "../live/handle.ts";
import { Live } from "../live/live.ts";
import type { LiveOptions } from "../live/options.ts";

/** What of Hono's `Context` is needed. */
export interface HonoSseContext {
  readonly req: { readonly raw: Request };
  /** Of `@hono/node-server`: its `incoming` and `outgoing`. */
  readonly env?: unknown;
}

/**
 * Answers with server-sent events.
 * @example
 * const live = sse(hf, { sources: { prices: hf.channel("prices") } });
 * app.on(["GET", "POST"], "/live", live);
 */
export type HonoSse<C extends HonoSseContext = HonoSseContext> = ((context: C) => Promise<Response>) & LiveHandle;

/**
 * Returns the handler of one path: GET `?subscribe=prices` opens a connection, POST changes it. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 */
export function sse<C extends HonoSseContext = HonoSseContext>(hf: Holdfast, options: LiveOptions<C>): HonoSse<C> {
  const live = new Live<C>(hf, options);
  return handleOf(live, (context: C) => respond(live, context.req.raw, context, context.env));
}
