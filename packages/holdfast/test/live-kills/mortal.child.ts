/** A process of the live tests: `serve` a topic over server-sent events and WebSockets on a port, or `produce` a stream until it is killed. */
import http from "node:http";
import { WebSocketServer } from "ws";
import { connect } from "../../src/connect.ts";
import { sse } from "../../src/adapters/express/sse.ts";

const [part, url, prefix, name, port] = process.argv.slice(2) as [string, string, string, string, string];
const hf = await connect(url, { prefix });

if (part === "serve") {
  const live = sse(hf, { retry: 50, sources: { orders: hf.topic<number>(name, { partitions: 2 }) } });
  const server = http.createServer((request, response) => live(request, response));
  live.webSocket(server, { path: "/live", WebSocketServer });
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ rss: process.memoryUsage.rss(), cpuMs: (user + system) / 1_000 });
  });
  server.listen(Number(port), "127.0.0.1", () => process.send?.("listening"));
} else {
  const started = await hf.stream<number>(name, { lease: "1s", takeover: "1s" }).start();
  if (started.status !== "ok") throw new Error(started.status);
  for (let n = 0; ; n += 1) {
    await started.writer.write(n);
    process.send?.(n);
  }
}
