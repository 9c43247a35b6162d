/** Ports of the loopback interface. */
import { createServer } from "node:net";

/** `wanted` where it is free, else any. */
export async function freePort(wanted = 0): Promise<number> {
  const probe = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    probe.once("error", (error) => (wanted === 0 ? reject(error) : resolve(0)));
    probe.listen(wanted, "127.0.0.1", () => {
      const address = probe.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => probe.close(resolve));
  return port === 0 ? freePort() : port;
}
