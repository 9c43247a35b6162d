/** Requests to the API; each answer also says how much of the rate limit is left. */
export interface Answer<T> {
  readonly ok: boolean;
  readonly status: number;
  readonly body: T | undefined;
  /** What went wrong, in words for the visitor. */
  readonly title: string;
}

export interface Allowance {
  readonly remaining: number;
  readonly limit: number;
  /** Seconds until the next request is allowed; 0 while there are some left. */
  readonly retryAfter: number;
}

type Listener = (allowance: Allowance) => void;
const listeners = new Set<Listener>();

export function onAllowance(listener: Listener): void {
  listeners.add(listener);
}

export async function ask<T>(path: string, method = "GET", body?: unknown): Promise<Answer<T>> {
  try {
    const init = { method, headers: { "content-type": "application/json" } };
    const response = await fetch(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    report(response.headers);
    const text = await response.text();
    const parsed = text === "" ? undefined : (JSON.parse(text) as T & { title?: string });
    return { ok: response.ok, status: response.status, body: parsed, title: parsed?.title ?? "" };
  } catch {
    return { ok: false, status: 0, body: undefined, title: "The API does not answer." };
  }
}

function report(headers: Headers): void {
  const remaining = /r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1];
  const limit = /q=(\d+)/.exec(headers.get("ratelimit-policy") ?? "")?.[1];
  if (remaining === undefined || limit === undefined) return;
  const retryAfter = Number(headers.get("retry-after") ?? 0);
  for (const listener of listeners) listener({ remaining: Number(remaining), limit: Number(limit), retryAfter });
}
