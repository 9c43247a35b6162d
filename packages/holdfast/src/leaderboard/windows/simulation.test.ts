/**
 * What could go wrong, and the test for each; the same check finds what a mark that is read and then set does wrong:
 * - of a period two are told, or nobody is ................................ "each period is told once"
 * - a write is in two periods, in none, or in one that was closed before ... the same: what was archived and the present add up to the board
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../../testing/index.ts";
import type { Leaderboard } from "../leaderboard.ts";
import type { LeaderboardClosing } from "./closing.ts";

const LONG = { timeout: 600_000 };
const MINUTE = 60_000;
const DURING_MS = 3.5 * MINUTE;
/** Answers and requests are lost, and late; nobody stands still for longer than a lease, after which another is told by right. */
const FAULTS = { clientPauses: false, serverPauses: false, restarts: false, partitions: false };

type Told = (closing: LeaderboardClosing) => void;
type Listen = (client: SimulatedClient, board: Leaderboard, told: Told) => AsyncDisposable;

const boardOf = ({ hf }: SimulatedClient): Leaderboard =>
  hf.leaderboard("b", { windows: [{ every: "1m", keep: 10 }], archive: { top: 10 } });

const ours: Listen = (_, board, told) => board.onClosed(told, { lease: "30s", retry: 100, poll: "5s" });

/** Looks whether somebody has been told, and tells. */
const naive: Listen = (client, board, told) => {
  const { hf } = client;
  const stop = new AbortController();
  const look = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const closing = await unlessOutage(() => board.window("1m", { ago: 1 }).archive());
      const mark = `told:${closing?.id}`;
      const call = { op: "naive", class: "read" } as const;
      if (closing !== undefined && (await unlessOutage(() => hf.driver.send(["GET", mark], call, mark))) === null) {
        await unlessOutage(() => hf.driver.send(["SET", mark, "1"], { ...call, class: "idempotent" }, mark));
        told(closing);
      }
      await client.sleep(1_000);
    }
  };
  const looking = look();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking;
    },
  };
};

function toldOnce(listen: Listen): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now }) => {
    const closings = new Map<string, LeaderboardClosing>();
    const told: Told = (closing) => {
      if (closings.has(closing.id)) throw new Error(`${closing.id} is told again`);
      closings.set(closing.id, closing);
    };
    const errors: unknown[] = [];
    const listeners = clients.map((client) =>
      listen(client, boardOf(client), (closing) => {
        try {
          told(closing);
        } catch (error) {
          errors.push(error);
        }
      }),
    );
    const write = async (client: SimulatedClient): Promise<void> => {
      const board = boardOf(client);
      for (let at = 0; now() < DURING_MS; at += 1) {
        await unlessOutage(() =>
          board.increment(`m${random.integer(0, 2)}`, 1, { idempotencyKey: `${client.name}:${at}` }),
        );
        await client.sleep(random.integer(1_000, 9_000));
      }
    };
    await Promise.all(clients.map(write));
    // All that is over by now has been told of when a lease has passed.
    await clients[0]!.sleep(2 * MINUTE);
    for (const listener of listeners) await listener[Symbol.asyncDispose]();
    if (errors.length > 0) throw errors[0];
    if (closings.size < 3) throw new Error(`${closings.size} periods are told of`);
    const sums = new Map<string, number>();
    for (const { entries } of closings.values())
      for (const { member, score } of entries) sums.set(member, (sums.get(member) ?? 0) + score);
    const board = boardOf(clients[0]!);
    for (const { member, score } of await board.window("1m").top()) sums.set(member, (sums.get(member) ?? 0) + score);
    const whole = new Map((await board.top()).map(({ member, score }) => [member, score]));
    for (const [member, score] of whole)
      if (sums.get(member) !== score)
        throw new Error(`${member}: ${sums.get(member)} in periods, ${score} on the board`);
  };
}

it("each period is told once, and no write is in two of them or in none", LONG, async () => {
  await simulate({ ...schedules(2), clients: 3, chaos: DURING_MS, faults: FAULTS }, toldOnce(ours));
});

it("a mark that is read and then set tells twice, and the simulation finds it", LONG, async () => {
  await expect(
    simulate({ schedules: 20, seed: 1, clients: 3, chaos: DURING_MS, faults: FAULTS }, toldOnce(naive)),
  ).rejects.toThrow(/told again/);
});
