/** A fetch handler's requests, as the cache sees them. */
import { AsyncResource } from "node:async_hooks";
import { type Validators, fieldsOf304 } from "../http-cache/conditional.ts";
import type { Decide, Exchange, Handled, Plan, Ran } from "../http-cache/exchange.ts";
import type { Fields } from "../http-cache/headers.ts";

/** Runs the handler for a request of the same URL with other fields. */
export type RunFetch = (request: Request) => Response | Promise<Response>;

export class FetchExchange implements Exchange {
  readonly #request: Request;
  readonly run: (validators: Validators | undefined, decide: Decide) => Promise<Ran>;
  readonly rerun: ((validators: Validators | undefined, decide: Decide) => Promise<Ran>) | undefined;

  /** @param give is given the handler's response as the client is to get it, or undefined where it gets another */
  constructor(request: Request, run: RunFetch, rerun: RunFetch | undefined, give: (response?: Response) => void) {
    this.#request = request;
    const running = (handler: RunFetch, give: (response?: Response) => void) =>
      // Whose handler runs is this request's, whoever begins the load.
      AsyncResource.bind(async (validators: Validators | undefined, decide: Decide): Promise<Ran> => {
        const response = await handler(conditional(request, validators));
        const fields = fieldsOf(response.headers);
        const plan = decide({ status: response.status, fields });
        const { client, kept } = split(response, fields, plan);
        give(client);
        return { status: response.status, fields, body: kept === undefined ? undefined : await read(kept, plan.keep) };
      });
    this.run = running(run, give);
    this.rerun = rerun && running(rerun, () => undefined);
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.url;
  }

  readonly header = (name: string): string | undefined => this.#request.headers.get(name) ?? undefined;
}

export function fieldsOf(headers: Headers): Fields {
  return [...headers];
}

/** What the cache has, as the client of a request gets it. */
export function responseOf({ status, fields, body }: Extract<Handled, { by: "cache" }>, method: string): Response {
  const headers = new Headers(fields as [string, string][]);
  const isEmpty = method === "HEAD" || hasNoBody(status);
  if (method === "HEAD") headers.set("content-length", String(body.length));
  return new Response(isEmpty ? null : (body as Uint8Array<ArrayBuffer>), { status, headers });
}

/** A response with `Cache-Status`, which it may have from another cache already. */
export function noted(response: Response, status: string | undefined): Response {
  return status === undefined ? response : rebuilt(response, response.body, fieldsOf(response.headers), status);
}

function rebuilt(response: Response, body: ReadableStream | null, fields: Fields, cacheStatus?: string): Response {
  // Of a protocol that is switched to, and the like: nothing that can be made.
  if (response.status < 200) return response;
  const headers = new Headers(fields as [string, string][]);
  if (cacheStatus !== undefined) headers.append("cache-status", cacheStatus);
  const { status, statusText } = response;
  return new Response(hasNoBody(status) ? null : body, { status, statusText, headers });
}

/** Without the client's conditions, and without its end: others wait for the response as well. */
function conditional(request: Request, validators: Validators | undefined): Request {
  const headers = new Headers(request.headers);
  const { etag, lastModified } = validators ?? {};
  set(headers, "if-none-match", etag);
  set(headers, "if-modified-since", lastModified);
  return new Request(request.url, { method: request.method, headers });
}

function set(headers: Headers, name: string, value: string | undefined): void {
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
}

function split(
  response: Response,
  fields: Fields,
  { client, cacheStatus, keep }: Plan,
): { readonly client?: Response; readonly kept: ReadableStream<Uint8Array> | null | undefined } {
  const { body } = response;
  const isKept = keep > 0;
  if (client === "response") {
    if (!isKept || body === null)
      return { client: rebuilt(response, body, fields, cacheStatus), kept: isKept ? null : undefined };
    const [own, kept] = body.tee();
    return { client: rebuilt(response, own, fields, cacheStatus), kept };
  }
  if (!isKept) void body?.cancel().catch(() => undefined);
  const kept = isKept ? body : undefined;
  if (client === "nothing") return { kept };
  const headers = new Headers(fieldsOf304(fields) as [string, string][]);
  if (cacheStatus !== undefined) headers.append("cache-status", cacheStatus);
  return { client: new Response(null, { status: 304, headers }), kept };
}

/** The whole body, or undefined where it is longer than `max` or breaks off. */
async function read(body: ReadableStream<Uint8Array> | null, max: number): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks, length);
      length += value.length;
      if (length > max) {
        void reader.cancel().catch(() => undefined);
        return undefined;
      }
      chunks.push(value);
    }
  } catch {
    return undefined;
  }
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
