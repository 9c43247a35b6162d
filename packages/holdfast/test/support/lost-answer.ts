/** An answer, or a request, that is lost on its way: what a call does then. */
import type { Proxy } from "./proxy.ts";

/** A generated script, as its wrapper describes it. */
export interface SentScript {
  readonly sha1: string;
  readonly lua: string;
}

/** Whether a request calls the script: by its hash, or whole, as on a connection's first call. */
export function calls(request: Buffer, script: SentScript): boolean {
  return request.includes(script.sha1) || request.includes(script.lua);
}

/**
 * Runs `body`; the server behind the proxy executes its first call of `script`, whose answer never arrives; then
 * `meanwhile` runs and the network is healed. Returns what `body` returns.
 */
export async function losingAnswer<T>(
  proxy: Proxy,
  script: SentScript,
  body: () => Promise<T>,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  let sent = false;
  const request = proxy.sawRequest((bytes) => {
    sent ||= calls(bytes, script);
    if (sent) proxy.dropReplies();
    return sent;
  });
  const executed = proxy.sawReply(() => sent);
  const result = body();
  result.catch(() => undefined);
  await Promise.all([request, executed]);
  await meanwhile();
  await proxy.heal();
  return result;
}

/**
 * Runs `body`; its first call of `script` never reaches the server behind the proxy; then `meanwhile` runs and the
 * connection is reset. Returns what `body` returns.
 */
export async function losingRequest<T>(
  proxy: Proxy,
  script: SentScript,
  body: () => Promise<T>,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const stranded = proxy.strand();
  const request = proxy.sawRequest((bytes) => calls(bytes, script));
  const result = body();
  result.catch(() => undefined);
  await request;
  await meanwhile();
  stranded.cut();
  return result;
}
