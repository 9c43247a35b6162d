/** A process with a subscription of each kind, written as a user would write it, that writes down each run of a handler. */
import "../skew.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { TopicGap, TopicMessage } from "holdfast";
import { Ledger, ticks } from "../ledger.ts";
import { serve } from "../member.ts";
import { Random } from "../random.ts";
import { type ConsumerEntry, type Kind, openTopic, type Payload, type TopicsConfig, WINDOW } from "./message.ts";

const [configText, ledgerPath] = process.argv.slice(2);
const config = JSON.parse(configText!) as TopicsConfig;
const ledger = new Ledger<ConsumerEntry>(ledgerPath!);
const random = new Random(config.seed);

const { hf, topic } = openTopic(config);
let runs = 0;

async function handle(
  kind: Kind,
  { payload, partition, offset }: TopicMessage<Payload>,
  { delivery, fence = 0 }: { readonly delivery: number; readonly fence?: number },
): Promise<void> {
  runs += 1;
  const run = runs;
  ledger.write({ what: "started", at: ticks(), kind, run, call: payload.call, partition, offset, delivery, fence });
  await sleep(random.integer(0, config.runMs));
  const isFailing = payload.fails && delivery === 1;
  ledger.write({ what: "ended", at: ticks(), run, how: isFailing ? "thrown" : "well" });
  if (isFailing) throw new Error("not this time");
}

const common = {
  start: "start",
  concurrency: config.concurrency,
  maxDeliveries: 100,
  backoff: { delay: 50, max: 500 },
  drain: "5s",
} as const;
const onGap = (kind: Kind) => (gap: TopicGap) => ledger.write({ what: "gap", at: ticks(), kind, gap: gap.kind });

const subscriptions = [
  topic.subscribe("ordered", (message, context) => handle("ordered", message, context), {
    ...common,
    kind: "ordered",
    lease: config.leaseMs,
    window: WINDOW,
    onGap: onGap("ordered"),
  }),
];
ledger.write({ what: "began", at: ticks() });

let closing = "nothing";
serve(
  async () => {
    closing = "subscriptions";
    await Promise.all(subscriptions.map((each) => each.close()));
    closing = "connection";
    await hf.close();
  },
  () => ({ closing, stats: subscriptions.map((each) => each.stats()) }),
);
