/** One of several processes that want permits, hold them for a while and say so, until it is killed. */
import { setTimeout } from "node:timers/promises";
import { connect } from "../../src/connect.ts";

/** A hold as its holder believed in it. Times are of the machine's monotonic clock, in milliseconds. */
export interface Believed {
  readonly id: string;
  readonly permits: number;
  readonly fence: number;
  /** When it was asked for, and from when it was held. */
  readonly asked: number;
  readonly from: number;
  /** When it was known to be held last. */
  readonly to: number;
}

const [url = "", prefix = "", limit = ""] = process.argv.slice(2);
const hf = await connect(url, { prefix });
const semaphore = hf.semaphore("gpu", { permits: Number(limit), ttl: 500 });
process.on("disconnect", () => process.exit());
process.send!("ready");

for (let turn = 0; ; turn += 1) {
  const permits = 1 + ((turn + process.pid) % 2);
  const asked = now();
  const held = await semaphore.acquire({ permits, wait: "1m" });
  const from = now();
  const until = from + 20 + Math.random() * 80;
  for (let to = from; held.held && to < until; to = now()) {
    process.send!({ id: held.id, permits, fence: held.fence, asked, from, to } satisfies Believed);
    await setTimeout(5);
  }
  await held.release().catch(() => undefined);
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
