/** A process with members in a room, which says when they are out and back, until it is killed. */
import { connect } from "../../src/connect.ts";

const [url = "", prefix = "", name = "", ttl = "", ...users] = process.argv.slice(2);
const hf = await connect(url, { prefix });
process.on("disconnect", () => process.exit());
const room = hf.presence(name, { ttl: Number(ttl), grace: 200 });
const onChange = (present: boolean): void => void process.send!(present);
await Promise.all(users.map((user) => room.join(user, { device: "d", onChange })));
process.send!("ready");
