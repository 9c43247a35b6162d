/** The embedded server in a process of its own, as a real one is: reports its port, ends with the contender that forked it. */
import { createServer } from "holdfast-embedded";

const server = createServer({ keepAlive: true });
await server.listen();
process.on("disconnect", () => process.exit());
process.send!(server.port);
