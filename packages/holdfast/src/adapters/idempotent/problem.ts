import type { Handled } from "./exchange.ts";

/** A response about the request's key, as RFC 9457 has it. */
export function problem(status: number, title: string, detail: string, retryAfterS?: number): Handled {
  const body = Buffer.from(JSON.stringify({ title, status, detail }));
  const retry = retryAfterS === undefined ? [] : [["retry-after", String(retryAfterS)] as const];
  return { by: "stored", status, fields: [["content-type", "application/problem+json"], ...retry], body };
}
