/** A request of Node's `http`, as the cache sees it: of Express and of Fastify. */
import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Validators } from "../http-cache/conditional.ts";
import type { Decide, Exchange, Ran } from "../http-cache/exchange.ts";
import { intercept } from "./intercept.ts";

type Run = (validators: Validators | undefined, decide: Decide) => Promise<Ran>;

export class NodeExchange implements Exchange {
  readonly method: string;
  readonly url: string;
  readonly run: Run;
  readonly rerun: Run | undefined;
  readonly #headers: IncomingMessage["headers"];

  /** @param next lets the handler run; its response is seen on `response` */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    next: () => void,
    rerun: Run | undefined,
  ) {
    this.method = request.method ?? "GET";
    this.url = url;
    this.#headers = { ...request.headers };
    this.run = AsyncResource.bind(async (validators: Validators | undefined, decide: Decide): Promise<Ran> => {
      const ran = intercept(response, decide);
      withConditions(request.headers, validators);
      next();
      return ran;
    });
    this.rerun = rerun && AsyncResource.bind(rerun);
  }

  readonly header = (name: string): string | undefined => {
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };
}

/** With these instead of the client's conditions. */
export function withConditions(headers: IncomingMessage["headers"], validators: Validators | undefined): void {
  const { etag, lastModified } = validators ?? {};
  for (const [name, value] of [
    ["if-none-match", etag],
    ["if-modified-since", lastModified],
  ] as const) {
    if (value === undefined) delete headers[name];
    else headers[name] = value;
  }
}
