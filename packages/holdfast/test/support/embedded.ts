/** The embedded server on a TCP port of its own, in the process that calls: for node-redis it is a server like any other. */
import { createServer } from "../../../embedded/src/index.ts";

export interface Embedded extends AsyncDisposable {
  readonly url: string;
  /** Idempotent. */
  stop(): Promise<void>;
}

export async function startEmbedded(): Promise<Embedded> {
  const server = createServer();
  await server.listen();
  const stop = (): Promise<void> => server.close();
  return { url: `redis://127.0.0.1:${server.port}`, stop, [Symbol.asyncDispose]: stop };
}
