/** A response that is held back until it is known whether it may go. */
import type { Held } from "../idempotent/exchange.ts";
import { fieldsOf } from "./exchange.ts";

/** Reads a response's body, but no more than `max` bytes of it. Returns what is known of it, and the response that may be sent. */
export async function hold(
  response: Response,
  max: number,
): Promise<{ readonly held: Held; readonly response: Response }> {
  const { status, statusText, headers, body } = response;
  const fields = fieldsOf(headers);
  const made = (content: Uint8Array<ArrayBuffer> | ReadableStream): Response =>
    status < 200 ? response : new Response(content, { status, statusText, headers });
  if (body === null) return { held: { status, fields, body: new Uint8Array() }, response };
  const { start, rest } = await readUpTo(body, max);
  if (rest !== undefined) return { held: { status, fields, body: undefined }, response: made(rest) };
  return { held: { status, fields, body: start }, response: made(start as Uint8Array<ArrayBuffer>) };
}

/** The whole of a body, or undefined where it is longer than `max`. */
export async function wholeBody(body: ReadableStream<Uint8Array> | null, max: number): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array();
  const { start, rest } = await readUpTo(body, max);
  if (rest !== undefined) void rest.cancel().catch(() => undefined);
  return rest === undefined ? start : undefined;
}

/** `rest`: the whole of a body that is longer, with what was read of it. */
async function readUpTo(
  body: ReadableStream<Uint8Array>,
  max: number,
): Promise<{ readonly start: Uint8Array; readonly rest?: ReadableStream<Uint8Array> }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { start: Buffer.concat(chunks, length) };
    chunks.push(value);
    length += value.length;
    if (length > max) return { start: NOTHING, rest: continued(chunks, reader) };
  }
}

function continued(
  chunks: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const chunk = chunks[at];
      at += 1;
      if (chunk !== undefined) return controller.enqueue(chunk);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

const NOTHING = new Uint8Array();
