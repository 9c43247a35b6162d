/** A handler's response on Node's `ServerResponse`, seen before any of it is sent, so that another can take its place. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { fieldsOf304 } from "../http-cache/conditional.ts";
import type { Decide, Plan, Ran } from "../http-cache/exchange.ts";
import type { Fields } from "../http-cache/headers.ts";

type Written = [chunk?: unknown, encoding?: unknown, callback?: unknown];
type HeadGiven = [status: number, ...rest: unknown[]];
type Callback = (error?: Error | null) => void;

const NOTHING = Buffer.alloc(0);

/** Resolves when the handler's response has ended, or broken off. What it writes goes to the client as `decide` says. */
export function intercept(response: ServerResponse, decide: Decide): Promise<Ran> {
  return new Promise((resolve) => {
    const { writeHead, write, end, flushHeaders } = methodsOf(response);
    const before = response.getHeaders();
    let plan: Plan | undefined;
    let head: { readonly status: number; readonly fields: Fields } = { status: 0, fields: [] };
    let kept: Buffer[] | undefined;
    let length = 0;

    const restore = (): void => {
      Object.assign(response, { writeHead, write, end, flushHeaders });
    };
    const begin = (): Plan => {
      if (plan !== undefined) return plan;
      head = { status: response.statusCode, fields: fieldsOf(response.getHeaders()) };
      plan = decide(head);
      if (plan.keep > 0) kept = [];
      if (plan.client === "nothing") {
        reset(response, before);
        return plan;
      }
      if (plan.cacheStatus !== undefined) response.appendHeader("cache-status", plan.cacheStatus);
      if (plan.client === "not-modified") {
        const names = new Set(fieldsOf304(head.fields).map(([name]) => name));
        for (const [name] of head.fields) if (!names.has(name)) response.removeHeader(name);
        writeHead.call(response, 304, {});
      }
      return plan;
    };
    const keep = (chunk: Buffer, { keep }: Plan): void => {
      length += chunk.length;
      if (length > keep) kept = undefined;
      else kept?.push(chunk);
    };
    const done = (isWhole: boolean): void => {
      response.off("close", broken);
      resolve({ ...head, body: isWhole && kept !== undefined ? Buffer.concat(kept, length) : undefined });
    };
    const broken = (): void => {
      restore();
      begin();
      done(false);
    };
    response.once("close", broken);

    Object.assign(response, {
      writeHead(...given: HeadGiven) {
        takeHead(response, given);
        // Node's own `write` comes here as well, for a head that is to be sent.
        if (begin().client === "response") writeHead.call(response, response.statusCode, {});
        return response;
      },
      flushHeaders() {
        if (begin().client === "response") flushHeaders.call(response);
      },
      write(...written: Written) {
        const [chunk, callback] = read(written);
        const plan = begin();
        keep(chunk, plan);
        if (plan.client === "response") return write.apply(response, written as never);
        callback?.();
        return true;
      },
      end(...written: Written) {
        const [chunk, callback] = read(written);
        const plan = begin();
        keep(chunk, plan);
        restore();
        if (plan.client === "response") end.apply(response, written as never);
        else if (plan.client === "not-modified") end.apply(response, [] as never);
        done(true);
        if (plan.client !== "response") callback?.();
        return response;
      },
    });
  });
}

/** Calls `changed` with a response's head, and ends the response when that has been seen to. */
export function afterChange(
  response: ServerResponse,
  changed: (status: number, fields: Fields) => Promise<void>,
): void {
  const { writeHead, end } = methodsOf(response);
  Object.assign(response, {
    writeHead(...given: HeadGiven) {
      takeHead(response, given);
      return writeHead.call(response, response.statusCode, {});
    },
    end(...written: Written) {
      Object.assign(response, { writeHead, end });
      const ends = (): unknown => end.apply(response, written as never);
      void changed(response.statusCode, fieldsOf(response.getHeaders())).then(ends, ends);
      return response;
    },
  });
}

export function fieldsOf(headers: OutgoingHttpHeaders): Fields {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((line) => [name.toLowerCase(), String(line)] as const),
  );
}

export function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Sends what is stored. */
export function sendStored(
  request: IncomingMessage,
  response: ServerResponse,
  { status, fields, body }: { readonly status: number; readonly fields: Fields; readonly body: Uint8Array },
): void {
  response.statusCode = status;
  for (const [name, value] of byName(fields)) response.setHeader(name, value);
  if (status !== 304 && status !== 204) response.setHeader("content-length", body.length);
  response.end(request.method === "HEAD" ? NOTHING : body);
}

/** Several lines of one field as Node takes them. */
export function byName(fields: Fields): Map<string, string | string[]> {
  const names = new Map<string, string | string[]>();
  for (const [name, value] of fields) {
    const found = names.get(name);
    names.set(name, found === undefined ? value : [found, value].flat());
  }
  return names;
}

export function read([chunk, encoding, callback]: Written): [Buffer, Callback | undefined] {
  const done = [chunk, encoding, callback].find((each) => typeof each === "function") as Callback | undefined;
  if (typeof chunk === "string")
    return [Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8"), done];
  return [chunk instanceof Uint8Array ? Buffer.from(chunk) : NOTHING, done];
}

/** As they are now, which may be another interceptor's. Called with their object. */
export function methodsOf(
  response: ServerResponse,
): Pick<ServerResponse, "writeHead" | "write" | "end" | "flushHeaders"> {
  return {
    writeHead: Reflect.get(response, "writeHead"),
    write: Reflect.get(response, "write"),
    end: Reflect.get(response, "end"),
    flushHeaders: Reflect.get(response, "flushHeaders"),
  };
}

/** Keeps what `writeHead` is given where it can be read. */
export function takeHead(response: ServerResponse, [status, ...rest]: HeadGiven): void {
  const isReason = typeof rest[0] === "string";
  response.statusCode = status;
  if (isReason) response.statusMessage = rest[0] as string;
  setAll(response, rest[isReason ? 1 : 0] as OutgoingHttpHeaders | unknown[] | undefined);
}

/** As `writeHead` takes them: an object, pairs, or names and values in turn. */
function setAll(response: ServerResponse, given: OutgoingHttpHeaders | unknown[] | undefined): void {
  if (given === undefined) return;
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) if (value !== undefined) response.setHeader(name, value);
    return;
  }
  const flat = given.flat() as string[];
  for (let at = 0; at + 1 < flat.length; at += 2) response.setHeader(flat[at]!, flat[at + 1]!);
}

/** As it was before the handler ran. */
export function reset(response: ServerResponse, before: OutgoingHttpHeaders): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  for (const [name, value] of Object.entries(before)) if (value !== undefined) response.setHeader(name, value);
  response.statusCode = 200;
  response.statusMessage = "";
}
