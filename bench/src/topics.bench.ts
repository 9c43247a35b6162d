/**
 * Topics against what is written by hand or taken instead: messages of 120 bytes published, consumed from a backlog, and delivered one at a
 * time. `--jobs` sets how many messages a case has; `--quick` is a size that takes about two minutes.
 */
import { rowOf } from "./row.ts";
import type { BenchServer, MeasuredSuite, Row, RunOptions } from "./suite.ts";
import type { StreamName } from "./topics/port.ts";
import { consuming, delivering, publishing, type StreamRun } from "./topics/runs.ts";

const FULL = 200_000;
const QUICK = 10_000;
const LONE = 1_000;

interface TopicCase {
  readonly name: string;
  readonly unit: Row["unit"];
  readonly ours: StreamName;
  readonly peers: readonly StreamName[];
  readonly run: StreamRun;
}

function rate(
  name: string,
  ours: StreamName,
  peers: readonly StreamName[],
  run: (what: string) => StreamRun,
): TopicCase {
  return { name, unit: "messages/s", ours, peers, run: run(name) };
}

function casesOf(messages: number): TopicCase[] {
  const some = Math.ceil(messages / 10);
  const lone = Math.min(LONE, some);
  return [
    ...[1, 100, 500].map((inFlight) =>
      rate(`publish, ${inFlight} in flight`, "messages()", ["streams by hand", "bullmq"], (what) =>
        publishing(what, inFlight === 1 ? some : messages, inFlight),
      ),
    ),
    ...(["ordered", "ordered by key", "shared", "messages()"] as const).flatMap((ours) => [
      rate(`consume, ${ours}`, ours, ["streams by hand"], (what) => consuming(what, messages)),
      rate(`consume what was published one by one, ${ours}`, ours, ["streams by hand"], (what) =>
        consuming(what, some, 1),
      ),
    ]),
    ...(["messages()", "ordered", "shared"] as const).map((ours): TopicCase => {
      const name = `a lone message, ${ours}`;
      return { name, unit: "ms", ours, peers: ["pub/sub by hand"], run: delivering(name, lone) };
    }),
  ];
}

async function* measure(server: BenchServer, options: RunOptions): AsyncGenerator<Row> {
  const messages = options.jobs ?? (options.isQuick ? QUICK : FULL);
  const rounds = options.rounds ?? (options.isQuick ? 1 : 3);
  for (const one of casesOf(messages)) {
    if (!one.name.includes(options.text)) continue;
    const all: (readonly [StreamName, Awaited<ReturnType<StreamRun>>])[][] = [];
    for (let at = 0; at < rounds; at += 1) all.push(await round(server, one, at));
    const figures = (name: StreamName, at: number): Awaited<ReturnType<StreamRun>> =>
      all[at]!.find(([of]) => of === name)![1];
    for (const what of Object.keys(figures(one.ours, 0))) {
      for (const peer of one.peers) {
        const pairs = all.map((_round, at) => ({ ours: figures(one.ours, at)[what]!, peer: figures(peer, at)[what]! }));
        yield rowOf(what, one.unit, peer, pairs);
      }
    }
  }
}

/** Each in turn; who begins changes from round to round. */
async function round(
  server: BenchServer,
  { ours, peers, run }: TopicCase,
  at: number,
): Promise<(readonly [StreamName, Awaited<ReturnType<StreamRun>>])[]> {
  const names = [ours, ...peers];
  const figures: (readonly [StreamName, Awaited<ReturnType<StreamRun>>])[] = [];
  for (const name of at % 2 === 0 ? names : names.toReversed()) figures.push([name, await run(server, name)]);
  return figures;
}

export const topicsSuite: MeasuredSuite = { measure };
