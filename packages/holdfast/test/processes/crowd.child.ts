/** One process of a crowd: many callers at once ask for entries that nobody has loaded yet. */
import { setTimeout } from "node:timers/promises";
import { connect } from "../../src/connect.ts";

interface Asked {
  readonly id: string;
  readonly callers: number;
}

const [url = "", prefix = ""] = process.argv.slice(2);
const hf = await connect(url, { prefix });
const reports = hf.cache<string>("reports", { ttl: "1m" });

process.on("message", (asked: Asked) => void ask(asked));
process.on("disconnect", () => process.exit());
process.send!("ready");

async function ask({ id, callers }: Asked): Promise<void> {
  let loads = 0;
  const load = async (): Promise<string> => {
    loads += 1;
    // Long enough that every process has asked by then.
    await setTimeout(300);
    return `loaded by ${process.pid}`;
  };
  const answers = await Promise.all(Array.from({ length: callers }, () => reports.getOrSet(id, load)));
  process.send!({ loads, answers: [...new Set(answers)] });
}
