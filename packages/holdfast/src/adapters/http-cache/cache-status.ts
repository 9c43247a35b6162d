/** The field `Cache-Status` (RFC 9211): what this cache did with a request. */
export interface Status {
  readonly hit?: boolean;
  readonly fwd?: "bypass" | "method" | "uri-miss" | "vary-miss" | "miss" | "request" | "stale" | "partial";
  readonly fwdStatus?: number;
  readonly ttlMs?: number;
  readonly stored?: boolean;
  readonly collapsed?: boolean;
  readonly detail?: string;
}

const TOKEN = /^[A-Za-z*][\w!#$%&'*+\-.^`|~:/]*$/;

export function cacheStatus(name: string | undefined, status: Status): string | undefined {
  if (name === undefined) return undefined;
  const parts = [TOKEN.test(name) ? name : JSON.stringify(name)];
  if (status.hit === true) parts.push("hit");
  if (status.fwd !== undefined) parts.push(`fwd=${status.fwd}`);
  if (status.fwdStatus !== undefined) parts.push(`fwd-status=${status.fwdStatus}`);
  if (status.ttlMs !== undefined) parts.push(`ttl=${Math.floor(status.ttlMs / 1_000)}`);
  if (status.stored === true) parts.push("stored");
  if (status.collapsed === true) parts.push("collapsed");
  if (status.detail !== undefined) parts.push(`detail=${status.detail}`);
  return parts.join("; ");
}
