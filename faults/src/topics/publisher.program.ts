/** A process that publishes messages of some keys until it is asked to end, those of one key one after the other, and writes down what it was promised. */
import "../skew.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { Ledger, ticks } from "../ledger.ts";
import { serve } from "../member.ts";
import { Random } from "../random.ts";
import { historyOf, isReplicated } from "../replicated.ts";
import {
  openTopic,
  partitionKey,
  PARTITIONS,
  type Payload,
  type PublisherEntry,
  type TopicsConfig,
} from "./message.ts";

const [configText, ledgerPath] = process.argv.slice(2);
const config = JSON.parse(configText!) as TopicsConfig;
const ledger = new Ledger<PublisherEntry>(ledgerPath!);
const random = new Random(config.seed);

const KEYS = 12;
const ATTEMPTS = 5;
const FAILING = 0.03;
const REJECTED = 0.01;
const CONFIRM_MS = 200;

const { hf, topic } = openTopic(config);
const ending = new AbortController();
let calls = 0;
/** By partition, what was answered and is not known to be on all replicas. */
let answered: string[][] = [];
const confirming = config.replicas > 0 ? confirm() : Promise.resolve();
const publishing = Promise.all(Array.from({ length: KEYS }, (_, at) => publishKey(`${config.seed}-${at}`)));

serve(
  async () => {
    ending.abort();
    await publishing;
    await confirming;
    await hf.close();
  },
  () => ({ calls }),
);

/** Until it is to end, or it is not known whether a message is there: what comes behind it could not be judged. */
async function publishKey(key: string): Promise<void> {
  for (let place = 1; !ending.signal.aborted; place += 1) {
    calls += 1;
    const call = `${config.seed}-${calls}`;
    const payload = { call, place, fails: random.next() < FAILING, rejects: random.next() < REJECTED };
    ledger.write({ what: "publishing", at: ticks(), key, payload });
    if (!(await publish(key, payload))) return;
    await sleep(random.integer(10, 150));
  }
}

async function publish(key: string, payload: Payload): Promise<boolean> {
  const { call } = payload;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { status, partition } = await topic.publish(payload, { key, id: call });
      ledger.write({ what: "published", at: ticks(), call, status });
      answered[partition]?.push(call);
      return true;
    } catch (error) {
      if (attempt < ATTEMPTS) continue;
      ledger.write({ what: "unknown", at: ticks(), call, code: String((error as { code?: unknown }).code ?? error) });
      return false;
    }
  }
}

async function confirm(): Promise<void> {
  const keys = Array.from({ length: PARTITIONS }, (_, partition) => partitionKey(config.prefix, partition));
  while (!ending.signal.aborted) {
    const before = await Promise.all(keys.map((key) => historyOf(hf, key)));
    answered = keys.map(() => []);
    await sleep(CONFIRM_MS);
    const known = answered;
    answered = [];
    for (const [partition, key] of keys.entries()) {
      const calls = known[partition]!;
      if (calls.length === 0 || before[partition] === "") continue;
      if (await isReplicated(hf, key, config.replicas, before[partition]!)) ledger.write({ what: "replicated", calls });
    }
  }
}
