/** A process with one embedded server on a free port of the loopback; the port is its first line. */
import { createServer } from "../../packages/embedded/dist/index.js";

const server = createServer();
await server.listen();
console.log(server.port);

// Its input keeps the process alive, and ends with the process that started it, however that one ended.
process.stdin.on("end", () => process.exit()).resume();
