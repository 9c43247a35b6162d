/** A handler's response on Node's `ServerResponse`, held back until it is known whether it may go. */
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Held } from "../idempotent/exchange.ts";
import { fieldsOf, methodsOf, read, reset, takeHead } from "./intercept.ts";

export class HeldResponse {
  /** Resolves when the handler has ended its response, or it is longer than `max`, or it broke off. */
  readonly held: Promise<Held>;
  readonly #response: ServerResponse;
  readonly #methods: ReturnType<typeof methodsOf>;
  readonly #before: OutgoingHttpHeaders;
  readonly #max: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #isBegun = false;
  #isEnded = false;
  #resolve!: (held: Held) => void;

  constructor(response: ServerResponse, max: number) {
    this.#response = response;
    this.#methods = methodsOf(response);
    this.#before = response.getHeaders();
    this.#max = max;
    this.held = new Promise((resolve) => (this.#resolve = resolve));
    response.once("close", this.#closed);
    const take = this.#take.bind(this);
    const begin = (): void => void (this.#isBegun = true);
    Object.assign(response, {
      writeHead(...given: Parameters<typeof takeHead>[1]) {
        begin();
        takeHead(response, given);
        return response;
      },
      flushHeaders: begin,
      write: (...written: Parameters<typeof read>[0]) => take(written),
      end: (...written: Parameters<typeof read>[0]) => {
        this.#isEnded = true;
        take(written);
        return response;
      },
    });
  }

  /** Lets it go, and what is still to come. */
  send(): void {
    this.#restore();
    const body = Buffer.concat(this.#chunks, this.#length);
    if (this.#isEnded) this.#response.end(body);
    else {
      this.#response.write(body);
      this.#response.emit("drain");
    }
  }

  /** Another takes its place. */
  discard(): void {
    this.#restore();
    reset(this.#response, this.#before);
  }

  #restore(): void {
    this.#response.off("close", this.#closed);
    Object.assign(this.#response, this.#methods);
  }

  #take(written: Parameters<typeof read>[0]): boolean {
    const [chunk, callback] = read(written);
    this.#isBegun = true;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#isEnded || this.#length > this.#max) this.#settle();
    callback?.();
    return this.#length <= this.#max;
  }

  #settle(isBroken = false): void {
    const { statusCode: status } = this.#response;
    const body = this.#length > this.#max ? undefined : Buffer.concat(this.#chunks, this.#length);
    this.#resolve({ status, fields: fieldsOf(this.#response.getHeaders()), body, isBroken });
  }

  /** The client is gone. A handler that has not begun to answer goes on, and what it answers is for the repeat; one in the middle of it may not. */
  readonly #closed = (): void => {
    if (this.#isBegun && !this.#isEnded) this.#settle(true);
  };
}

/** A parsed body, as text or bytes that are the same for the same body; undefined where it is longer than `max`. */
export function textOfBody(
  body: unknown,
  headers: { readonly "content-length"?: string | undefined; readonly "transfer-encoding"?: string | undefined },
  max: number,
): string | Uint8Array | undefined {
  if (body === undefined && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0))
    throw new Error(
      "idempotent: the request's body is not parsed yet, so repeats cannot be compared: mount it behind the body's parser, or give it a `fingerprint`",
    );
  const text =
    typeof body === "string" || body instanceof Uint8Array ? body : (JSON.stringify(body) as string | undefined);
  return text !== undefined && text.length > max ? undefined : (text ?? "");
}
