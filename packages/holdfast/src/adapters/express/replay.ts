/** Runs an Express app for a request that no client has sent: what it answers goes nowhere but into the cache. */
import { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Validators } from "../http-cache/conditional.ts";
import type { Decide, Ran } from "../http-cache/exchange.ts";
import { MARK } from "../http-cache/marks.ts";
import { withConditions } from "../node/exchange.ts";
import { intercept } from "../node/intercept.ts";

type App = (request: never, response: never) => unknown;

export function replayed(app: App, of: IncomingMessage & { readonly originalUrl?: string }, mark: string) {
  return async (validators: Validators | undefined, decide: Decide): Promise<Ran> => {
    const { remoteAddress, remotePort, localPort } = of.socket;
    const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    Object.assign(socket, {
      remoteAddress,
      remotePort,
      localPort,
      encrypted: Reflect.get(of.socket, "encrypted") === true,
    });
    const request = new IncomingMessage(socket as Socket);
    request.method = "GET";
    request.url = of.originalUrl ?? of.url;
    request.httpVersion = of.httpVersion;
    request.headers = { ...of.headers, [MARK]: mark };
    withConditions(request.headers, validators);
    request.complete = true;
    request.push(null);
    const response = new ServerResponse(request);
    try {
      const ran = intercept(response, decide);
      app(request as never, response as never);
      return await ran;
    } finally {
      socket.destroy();
    }
  };
}
