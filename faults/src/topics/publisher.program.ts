/** A process that publishes messages of some keys until it is asked to end, those of one key one after the other, and writes down what it was promised. */
import "../skew.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { Ledger, ticks } from "../ledger.ts";
import { serve } from "../member.ts";
import { Random } from "../random.ts";
import { openTopic, type PublisherEntry, type TopicsConfig } from "./message.ts";

const [configText, ledgerPath] = process.argv.slice(2);
const config = JSON.parse(configText!) as TopicsConfig;
const ledger = new Ledger<PublisherEntry>(ledgerPath!);
const random = new Random(config.seed);

const KEYS = 12;
const ATTEMPTS = 5;
const FAILING = 0.03;

const { hf, topic } = openTopic(config);
const ending = new AbortController();
let calls = 0;
const publishing = Promise.all(Array.from({ length: KEYS }, (_, at) => publishKey(`${config.seed}-${at}`)));

serve(
  async () => {
    ending.abort();
    await publishing;
    await hf.close();
  },
  () => ({ calls }),
);

/** Until it is to end, or it is not known whether a message is there: what comes behind it could not be judged. */
async function publishKey(key: string): Promise<void> {
  for (let place = 1; !ending.signal.aborted; place += 1) {
    calls += 1;
    const call = `${config.seed}-${calls}`;
    const payload = { call, place, fails: random.next() < FAILING };
    ledger.write({ what: "publishing", at: ticks(), key, payload });
    if (!(await publish(key, payload))) return;
    await sleep(random.integer(10, 150));
  }
}

async function publish(key: string, payload: { call: string; place: number; fails: boolean }): Promise<boolean> {
  const { call } = payload;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { status } = await topic.publish(payload, { key, id: call });
      ledger.write({ what: "published", at: ticks(), call, status });
      return true;
    } catch (error) {
      if (attempt < ATTEMPTS) continue;
      ledger.write({ what: "unknown", at: ticks(), call, code: String((error as { code?: unknown }).code ?? error) });
      return false;
    }
  }
}
