/** A process with a subscription of each kind, written as a user would write it, that writes down each run of a handler. */
import "../skew.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { TopicGap, TopicMessage } from "holdfast";
import { Ledger, ticks } from "../ledger.ts";
import { serve } from "../member.ts";
import { Random } from "../random.ts";
import {
  CONCURRENCY,
  type ConsumerEntry,
  type End,
  type Kind,
  openTopic,
  ORDERED_DELIVERIES,
  type Payload,
  PREFETCH,
  type TopicsConfig,
  WINDOW,
} from "./message.ts";

/** Of deliveries of a shared subscription, the later ones too. */
const FAILING = 0.02;
const DELIVERIES = 100;

const [configText, ledgerPath] = process.argv.slice(2);
const config = JSON.parse(configText!) as TopicsConfig;
const ledger = new Ledger<ConsumerEntry>(ledgerPath!);
const random = new Random(config.seed);

const { hf, topic } = openTopic(config);
let runs = 0;

async function handle(
  kind: Kind,
  { payload, partition, offset }: TopicMessage<Payload>,
  { delivery, fence = 0, reject }: { readonly delivery: number; readonly fence?: number; readonly reject?: () => void },
): Promise<void> {
  runs += 1;
  const run = runs;
  ledger.write({ what: "started", at: ticks(), kind, run, call: payload.call, partition, offset, delivery, fence });
  await sleep(random.integer(0, config.runMs));
  const how = endOf(kind, payload, delivery);
  ledger.write({ what: "ended", at: ticks(), run, how });
  if (how === "well") return;
  if (how === "thrown" || reject === undefined) throw new Error("not this time");
  reject();
}

function endOf(kind: Kind, { fails, rejects }: Payload, delivery: number): End {
  if (rejects) return kind === "shared" || delivery >= ORDERED_DELIVERIES ? "rejected" : "thrown";
  return (fails && delivery === 1) || (kind === "shared" && random.next() < FAILING) ? "thrown" : "well";
}

const common = {
  start: "start",
  concurrency: CONCURRENCY,
  backoff: { delay: 50, max: 500 },
  drain: "5s",
} as const;
const onGap = (kind: Kind) => (gap: TopicGap) =>
  ledger.write({ what: "gap", at: ticks(), kind, partition: gap.partition, gap: gap.kind });

const subscriptions = [
  topic.subscribe("ordered", (message, context) => handle("ordered", message, context), {
    ...common,
    kind: "ordered",
    maxDeliveries: ORDERED_DELIVERIES,
    lease: config.leaseMs,
    window: WINDOW,
    onGap: onGap("ordered"),
  }),
  topic.subscribe("shared", (message, context) => handle("shared", message, context), {
    ...common,
    kind: "shared",
    maxDeliveries: DELIVERIES,
    visibility: config.leaseMs,
    poll: "1s",
    prefetch: PREFETCH,
    onGap: onGap("shared"),
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
