/**
 * Once per test run: a broker on the loopback interface from which the test workers learn where the shared servers
 * are. The first question starts them, so a run of tests that need no server starts none.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { BACKEND_NAMES, chooseBackends, SharedServers } from "./shared-servers.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the broker; see backends.ts. */
    backendBroker: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const names = chooseBackends(process.env["HOLDFAST_BACKENDS"] ?? "");
  const leftOut = BACKEND_NAMES.filter((name) => !names.includes(name));
  if (leftOut.length > 0) console.log(`HOLDFAST_BACKENDS leaves out: ${leftOut.join(", ")}`);

  const servers = new SharedServers(names);
  const broker = createServer((_request, response) => void answer(servers, response));
  broker.listen(0, "127.0.0.1");
  await once(broker, "listening");
  const { port } = broker.address() as AddressInfo;
  project.provide("backendBroker", `http://127.0.0.1:${port}/`);

  return async () => {
    broker.close();
    broker.closeAllConnections();
    await servers.stop();
  };
}

async function answer(servers: SharedServers, response: ServerResponse): Promise<void> {
  try {
    response.end(JSON.stringify(await servers.backends()));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}
