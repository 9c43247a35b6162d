/** `idempotent` for Fastify, a plugin. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Holdfast } from "../../holdfast.ts";
import { type Handled, type Held, noteRun } from "../idempotent/exchange.ts";
import { IdempotentHttp } from "../idempotent/idempotent.ts";
import type { IdempotentOptions } from "../idempotent/options.ts";
import { textOfBody } from "../node/hold.ts";
import { byName, fieldsOf, headerOf } from "../node/intercept.ts";

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly originalUrl: string;
  readonly body?: unknown;
}

interface FastifyReply {
  readonly raw: ServerResponse;
  readonly statusCode: number;
  code(status: number): unknown;
  header(name: string, value: unknown): unknown;
  removeHeader(name: string): unknown;
  getHeaders(): Record<string, unknown>;
  send(payload?: unknown): unknown;
}

/** What of a Fastify instance is needed. */
export interface FastifyIdempotentApp {
  addHook(name: "preHandler", hook: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): unknown;
  addHook(
    name: "onSend",
    hook: (request: FastifyRequest, reply: FastifyReply, payload: unknown) => Promise<unknown>,
  ): unknown;
}

export type FastifyIdempotent = (app: FastifyIdempotentApp, options: unknown, done: () => void) => void;

/** A request whose handler runs. */
interface Running {
  readonly max: number;
  readonly handling: Promise<Handled>;
  deliver(held: Held): void;
}

/**
 * Returns a plugin that runs the handlers of the routes beside it once for each `Idempotency-Key`, and sends the stored response to repeats. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * await app.register(idempotent(hf, { scope: (request) => request.header("x-tenant") ?? "" }));
 */
export function idempotent(hf: Holdfast, options?: IdempotentOptions): FastifyIdempotent {
  const http = new IdempotentHttp(hf, options);
  const running = new WeakMap<FastifyRequest, Running>();

  const preHandler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { raw, body } = request;
    let letRun!: (given: Omit<Running, "handling">) => void;
    const runs = new Promise<Omit<Running, "handling">>((resolve) => (letRun = resolve));
    const handling = http.handle({
      method: raw.method ?? "GET",
      path: request.originalUrl,
      header: (name) => headerOf(raw, name),
      body: async (max) => textOfBody(body, raw.headers, max),
      run: (run, max) => {
        noteRun(raw, run);
        return new Promise((deliver) => letRun({ max, deliver }));
      },
    });
    const handled = await Promise.race([runs, handling]);
    if ("deliver" in handled) {
      running.set(request, { ...handled, handling });
      // Heard of where the response is sent.
      handling.catch(() => undefined);
      return undefined;
    }
    if (handled.by !== "stored") return undefined;
    return reply.send(replaced(reply, handled));
  };

  const onSend = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const run = running.get(request);
    if (run === undefined) return payload;
    running.delete(request);
    const { body, payload: own, isBroken } = await read(payload, run.max);
    run.deliver({ status: reply.statusCode, fields: fieldsOf(reply.getHeaders() as never), body, isBroken });
    const handled = await run.handling;
    if (handled.by !== "stored") return own;
    for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
    return replaced(reply, handled);
  };

  const plugin: FastifyIdempotent = (app, _, done) => {
    app.addHook("preHandler", preHandler);
    app.addHook("onSend", onSend);
    done();
  };
  // Its hooks are for the routes beside it, not for those of a scope of its own.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}

function replaced(reply: FastifyReply, { status, fields, body }: Extract<Handled, { by: "stored" }>): Buffer {
  reply.code(status);
  for (const [name, value] of byName(fields)) reply.header(name, value);
  return Buffer.from(body);
}

/** What a handler sends, and what may be sent in its place: a stream that ends within `max` bytes as one piece. */
async function read(
  payload: unknown,
  max: number,
): Promise<{ readonly body: Uint8Array | undefined; readonly payload: unknown; readonly isBroken: boolean }> {
  if (typeof payload === "string" || payload instanceof Uint8Array || payload === undefined || payload === null) {
    const body = Buffer.from(payload ?? "");
    return { body: body.length > max ? undefined : body, payload, isBroken: false };
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const source = Readable.from(payload as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = (await source.next()) as IteratorResult<Uint8Array | string>;
      if (done === true)
        return { body: Buffer.concat(chunks, length), payload: Buffer.concat(chunks, length), isBroken: false };
      chunks.push(Buffer.from(value as string));
      length += chunks.at(-1)!.length;
      if (length > max) return { body: undefined, payload: Readable.from(continued(chunks, source)), isBroken: false };
    }
  } catch (error) {
    const broken = Readable.from(continued(chunks, { next: () => Promise.reject(error) }));
    return { body: undefined, payload: broken, isBroken: true };
  }
}

async function* continued(
  chunks: readonly Buffer[],
  source: { next(): Promise<IteratorResult<Uint8Array | string>> },
): AsyncGenerator<Uint8Array | string> {
  yield* chunks;
  for (;;) {
    const { done, value } = await source.next();
    if (done === true) return;
    yield value;
  }
}
