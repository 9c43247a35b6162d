/** A consumer of a shared subscription whose handler never ends by itself; it says what it begins, and how many of its deliveries counted. */
import { connect } from "../../src/connect.ts";

const [url = "", prefix = "", name = "", visibility = ""] = process.argv.slice(2);
const hf = await connect(url, { prefix });
process.on("disconnect", () => process.exit());
const subscription = hf.topic<number>(name).subscribe(
  "s",
  async (message, { delivery, signal }) => {
    process.send!({ message: message.payload, delivery });
    // Until it has stood still: then it is done, as far as it knows.
    await new Promise((resolve) => process.once("SIGUSR2", resolve));
    process.send!({ aborted: signal.aborted });
  },
  { kind: "shared", start: "start", visibility: Number(visibility), poll: 200, concurrency: 5 },
);
await subscription.ready();
setInterval(() => process.send!({ handled: subscription.stats().handled }), 200);
