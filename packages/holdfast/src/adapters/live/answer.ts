/** What goes into `Live` from a framework, and comes out of it. */
import type { LiveConnection } from "./connection.ts";

/** A request as every framework has it. */
export interface LiveHttpRequest<R> {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly header: (name: string) => string | undefined;
  readonly raw: R;
}

export type LiveAnswer =
  | { readonly status: 200; readonly connection: LiveConnection }
  | { readonly status: number; readonly connection?: undefined; readonly headers?: Readonly<Record<string, string>> };

/** Of what an answer of 200 consists. */
export const SSE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  // nginx holds back what it can collect.
  "x-accel-buffering": "no",
};

/** Of whatever path: some that clients send are no URL. */
export function queryOf(url: string): URLSearchParams {
  const [path = ""] = url.split("#", 1);
  const at = path.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : path.slice(at));
}
