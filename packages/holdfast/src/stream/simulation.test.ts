/**
 * Producers that die, stand still and go on with each other's stream, over lost answers and late copies. What could go wrong, and the test for
 * each; the same checks find what a stream written by hand does wrong:
 * - a reader sees a chunk twice, out of order, or not at all ........ "each chunk once, in order, and the end behind all of them"
 * - a former producer still writes behind its successor .............. the same
 * - a chunk that was refused is there all the same .................... the same
 * - what was given up is executed late ................................ "also where copies come late"
 * - what the server has lost is taken for whole ....................... "where the server loses everything"
 */
import { expect, it } from "vitest";
import { CALM, schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";
import type { StreamEvent } from "./reader.ts";
import type { StreamWriter, StreamWriteResult } from "./writer.ts";

const LONG = { timeout: 600_000 };
const LEASE_MS = 600;
const CHUNKS = 25;

/** Each producer counts its own from 0. */
interface Chunk {
  readonly fence: number;
  readonly number: number;
}

interface Seen extends Chunk {
  readonly position: string;
}

type Pen = Pick<StreamWriter<Chunk>, "fence" | "resumedAt" | "write" | "end" | "close">;

interface Way {
  start(client: SimulatedClient): Promise<{ status: "ok"; writer: Pen } | { status: "busy" | "over" }>;
  read(client: SimulatedClient, from: string): AsyncIterable<StreamEvent<Chunk>>;
}

const streamOf = ({ hf }: SimulatedClient) =>
  hf.stream<Chunk>("s", { lease: LEASE_MS, takeover: LEASE_MS, timeout: "400ms" });

const ours: Way = {
  start: (client) => streamOf(client).start(),
  read: (client, from) => streamOf(client).read({ from }),
};

const told = async (client: SimulatedClient, ...args: [string, ...string[]]): Promise<unknown> => {
  const call = { op: "test", class: "idempotent" } as const;
  const answer = await untilTold(client, async () => ({ reply: await client.hf.driver.send(args, call, "s") }));
  return answer.reply;
};

/** A list, to which everybody pushes who believes to be the producer; readers count. */
const byHand: Way = {
  async start(client) {
    const owner = await told(client, "SET", "s:owner", client.name, "NX", "PX", String(LEASE_MS));
    if (owner === null) return { status: "busy" };
    if (String(await told(client, "LINDEX", "s", "-1")) === "end") return { status: "over" };
    const fence = Number(await told(client, "INCR", "s:fence"));
    const resumedAt = Number(await told(client, "LLEN", "s"));
    const writer: Pen = {
      fence,
      resumedAt,
      write: async (chunk) => {
        const length = await told(client, "RPUSH", "s", JSON.stringify(chunk));
        return { status: "ok", position: `list.${String(length)}` };
      },
      end: async () => {
        await told(client, "RPUSH", "s", "end");
        return { status: "ok" };
      },
      close: async () => undefined,
    };
    return { status: "ok", writer };
  },
  async *read(client, from) {
    for (let at = from === "start" ? 0 : Number(from.split(".")[1]); ; await client.sleep(20)) {
      for (const entry of (await told(client, "LRANGE", "s", String(at), "-1")) as Buffer[]) {
        at += 1;
        if (String(entry) === "end") return yield { type: "end" };
        yield { type: "chunk", value: JSON.parse(String(entry)) as Chunk, position: `list.${at}` };
      }
    }
  },
};

const nameOf = ({ fence, number }: Chunk): string => `chunk ${number} of ${fence}`;
const epochOf = (position: string | undefined): string | undefined => position?.split(".")[0];

/** What producers were told, and whether it is what readers see. */
class Witness {
  /** Whether the server has lost everything, once. */
  readonly #isEmptied: boolean;
  /** By fence, behind how many chunks a producer has begun. */
  readonly #resumedAt = new Map<number, number>();
  readonly #acknowledged = new Map<string, string>();
  readonly #refused = new Set<string>();
  #isEnded = false;
  #whole: string | undefined;

  constructor(isEmptied: boolean) {
    this.#isEmptied = isEmptied;
  }

  begins({ fence, resumedAt }: Pen): void {
    if (this.#resumedAt.has(fence)) throw new Error(`two producers have the fence ${fence}`);
    this.#resumedAt.set(fence, resumedAt);
  }

  async wrote(chunk: Chunk, writing: Promise<StreamWriteResult>): Promise<boolean> {
    const result = await unlessOutage(() => writing);
    if (result?.status === "ok") this.#acknowledged.set(nameOf(chunk), result.position);
    else if (result !== undefined) this.#refused.add(nameOf(chunk));
    return result?.status === "ok";
  }

  async ended(writer: Pen): Promise<void> {
    const result = await unlessOutage(() => writer.end());
    this.#isEnded ||= result?.status === "ok";
  }

  /** The last one that a reader has seen, behind the others. */
  sees(reader: string, seen: readonly Seen[]): void {
    const [before, last] = [seen.at(-2), seen.at(-1)!];
    const what = `${reader}: ${nameOf(last)} behind ${before === undefined ? "nothing" : nameOf(before)}`;
    if (last.fence === before?.fence && last.number <= before.number) throw new Error(`${what}: twice`);
    if (before !== undefined && last.fence < before.fence) throw new Error(`${what}: of a former producer`);
    const next = last.fence === before?.fence ? before.number + 1 : 0;
    if (last.number !== next) throw new Error(`${what}: a hole`);
    if (next === 0 && this.#resumedAt.get(last.fence) !== seen.length - 1)
      throw new Error(`${what}: its producer was to begin behind ${this.#resumedAt.get(last.fence)}`);
  }

  /** A reader has been told that this was all. */
  toldOfEnd(reader: string, seen: readonly Seen[], as: "end" | "aborted"): void {
    const epoch = epochOf(seen[0]?.position);
    if (this.#isEmptied && epoch === undefined) return;
    const positions = new Map(seen.map((each) => [nameOf(each), each.position]));
    for (const [name, position] of this.#acknowledged) {
      if (epoch !== undefined && epochOf(position) !== epoch) continue;
      if (!positions.has(name)) throw new Error(`${reader} has missed ${name}, which was acknowledged`);
      if (positions.get(name) !== position) throw new Error(`${reader} has seen ${name} at another position`);
    }
    if (this.#isEmptied) return;
    for (const name of this.#refused)
      if (positions.has(name)) throw new Error(`${reader} has seen ${name}, which was refused`);
    if (this.#isEnded && as !== "end") throw new Error(`${reader} is told ${as} of what has ended`);
    const whole = [...positions.keys(), as].join();
    if ((this.#whole ??= whole) !== whole) throw new Error(`${reader} has seen another stream than others`);
  }
}

/** Goes on with the stream whenever nobody else does, until it is over. */
async function produce(way: Way, { random, note }: Simulation, client: SimulatedClient, witness: Witness) {
  for (;;) {
    const started = await unlessOutage(() => way.start(client));
    if (started?.status === "over") return;
    if (started?.status !== "ok") {
      await client.sleep(random.integer(20, 200));
      continue;
    }
    const { writer } = started;
    witness.begins(writer);
    note(`${client.name} is the producer ${writer.fence}, behind ${writer.resumedAt}`);
    const most = random.integer(1, CHUNKS);
    let number = 0;
    while (number < most) {
      const first = number;
      number += random.integer(1, 3);
      const chunks = Array.from({ length: number - first }, (_, at) => ({ fence: writer.fence, number: first + at }));
      const written = await Promise.all(chunks.map((chunk) => witness.wrote(chunk, writer.write(chunk))));
      if (written.includes(false)) break;
      await client.sleep(random.integer(0, 100));
    }
    // Else it is left to the next.
    if (writer.resumedAt + number >= CHUNKS) await witness.ended(writer);
    await writer.close();
  }
}

/** Reads until it is told how it ended; leaves now and then, and comes back where it was. */
async function follow(
  way: Way,
  { random, note }: Simulation,
  client: SimulatedClient,
  witness: Witness,
  mayLose: boolean,
) {
  let from = "start";
  let seen: Seen[] = [];
  for (;;) {
    let stays = random.integer(1, 12);
    for await (const event of way.read(client, from)) {
      if (event.type === "chunk") {
        note(`${client.name} sees ${nameOf(event.value)}`);
        from = event.position;
        seen.push({ ...event.value, position: from });
        witness.sees(client.name, seen);
        stays -= 1;
        if (stays === 0) break;
        continue;
      }
      note(`${client.name} is told ${JSON.stringify(event)}`);
      if (event.type === "end" || (event.type === "aborted" && event.reason === "the producer died"))
        return witness.toldOfEnd(client.name, seen, event.type);
      if (!mayLose) throw new Error(`${client.name} is told ${event.type}, and nothing was lost`);
      // It has been told that what it has seen is not all, or not so any more.
      if (event.type === "missing" || event.type === "aborted") return;
      seen = [];
    }
  }
}

function across(way: Way, isEmptied = false): (simulation: Simulation) => Promise<void> {
  return async (simulation) => {
    const { clients, random, seed, sleep, server } = simulation;
    const witness = new Witness(isEmptied);
    const producing = clients.slice(0, 2).map((client) => produce(way, simulation, client, witness));
    const reading = clients.slice(2).map((client) => follow(way, simulation, client, witness, isEmptied));
    const dies = !isEmptied && seed % 2 === 0;
    const happens = async (): Promise<void> => {
      await sleep(random.integer(0, 1_000));
      if (isEmptied) server.restart(50, "none");
      else if (dies) clients[0]!.kill();
      else clients[0]!.pause(LEASE_MS * random.integer(1, 3));
    };
    // Nothing that the dead one awaits ever happens; what fails before fails the schedule.
    const all = Promise.all([...producing, ...reading]);
    await Promise.race([all, Promise.all([...producing.slice(dies ? 1 : 0), ...reading, happens()])]);
  };
}

it("a reader sees each chunk once, in order, and the end behind all of them", LONG, async () => {
  await simulate({ ...schedules(6), clients: 4 }, across(ours));
});

it("also where copies come late", LONG, async () => {
  await simulate({ ...schedules(6), clients: 4, faults: { lateCopies: true } }, across(ours));
});

it("where the server loses everything, a reader is told, or nothing of what it reads is missing", LONG, async () => {
  await simulate({ ...schedules(6), clients: 4, faults: { ...CALM, clientPauses: true } }, across(ours, true));
});

it("a list to which anybody pushes repeats and mixes, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 100, seed: 1, clients: 4 }, across(byHand))).rejects.toThrow(
    /twice|former|hole|begin behind|missed/,
  );
});
