/** js-redis-server in a process of its own: reports its port, ends with the contender that forked it. Needs Node 22. */
import { createRedisServer } from "js-redis-server";

const server = await createRedisServer({ port: 0 });
process.on("disconnect", () => process.exit());
process.send!(server.port);
