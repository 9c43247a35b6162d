/**
 * A leaderboard against a sorted set by hand, on tuned node-redis, at 100 members and at a million: a write with its rank, the rank alone, and a
 * page deep in a range of scores. With windows the peer writes its three sorted sets and their times to live by itself.
 */
import { connect, type Leaderboard, type LeaderboardOptions } from "holdfast";
import { tunedNodeRedis } from "./clients.ts";
import { type Contender, sideBySide, type Suite, type Target } from "./suite.ts";

const SIZES = { "100": 100, "a million": 1_000_000 } as const;
const CHUNK = 10_000;
const DAY_SECONDS = 86_400;

type Size = keyof typeof SIZES;

const memberOf = (turn: number, size: Size): string => `m${(turn * 7_919) % SIZES[size]}`;
const scoreOf = (turn: number): number => (turn * 31) % 100_003;

export const leaderboardSuite: Suite = {
  contenders: Object.fromEntries((Object.keys(SIZES) as Size[]).flatMap(contenders)),
  cases: (Object.keys(SIZES) as Size[]).flatMap((size) => [
    ...sideBySide("increment", [50], [`leaderboard.increment, ${size}`], [`ZINCRBY by hand, ${size}`]),
    ...sideBySide(
      "increment with a day and a week",
      [50],
      [`leaderboard.increment with windows, ${size}`],
      [`three ZINCRBY by hand, ${size}`],
    ),
    ...sideBySide(
      "rank",
      [50],
      [`leaderboard.rank, ${size}`, `leaderboard.rank of 8 shards, ${size}`],
      [`ZREVRANK by hand, ${size}`],
    ),
    ...sideBySide("page of a range", [50], [`leaderboard.page, ${size}`], [`ZRANGE BYSCORE LIMIT by hand, ${size}`]),
  ]),
};

function contenders(size: Size): [string, Contender][] {
  const range = { min: 10_000, max: 90_000 };
  const offset = Math.floor(SIZES[size] * 0.4);
  return [
    [`leaderboard.increment, ${size}`, ours(size, {}, (board, turn) => board.increment(memberOf(turn, size)))],
    [
      `leaderboard.increment with windows, ${size}`,
      ours(size, { windows: ["day", "week"] }, (board, turn) => board.increment(memberOf(turn, size))),
    ],
    [`leaderboard.rank, ${size}`, ours(size, {}, (board, turn) => board.rank(memberOf(turn, size)))],
    [
      `leaderboard.rank of 8 shards, ${size}`,
      ours(size, { shards: 8 }, (board, turn) => board.rank(memberOf(turn, size))),
    ],
    [`leaderboard.page, ${size}`, ours(size, {}, (board) => board.page({ ...range, offset, limit: 10 }))],
    [`ZINCRBY by hand, ${size}`, byHand(size, (send, turn) => send(["ZINCRBY", "board", "1", memberOf(turn, size)]))],
    [
      `three ZINCRBY by hand, ${size}`,
      byHand(size, (send, turn) =>
        Promise.all(
          ["board", "board:day", "board:week"].flatMap((key) => [
            send(["ZINCRBY", key, "1", memberOf(turn, size)]),
            send(["EXPIRE", key, String(DAY_SECONDS)]),
          ]),
        ),
      ),
    ],
    [
      `ZREVRANK by hand, ${size}`,
      byHand(size, (send, turn) =>
        Promise.all([
          send(["ZREVRANK", "board", memberOf(turn, size)]),
          send(["ZSCORE", "board", memberOf(turn, size)]),
        ]),
      ),
    ],
    [
      `ZRANGE BYSCORE LIMIT by hand, ${size}`,
      byHand(size, (send) => {
        const bounds = [
          String(range.max),
          String(range.min),
          "BYSCORE",
          "REV",
          "LIMIT",
          String(offset),
          "10",
          "WITHSCORES",
        ];
        return send(["ZRANGE", "board", ...bounds]);
      }),
    ],
  ];
}

function ours(
  size: Size,
  options: LeaderboardOptions,
  operation: (board: Leaderboard, turn: number) => Promise<unknown>,
): Contender {
  return async ({ url }: Target) => {
    const board = (await connect(url)).leaderboard(`board-${options.shards ?? 1}`, options);
    if ((await board.size()) < SIZES[size])
      for (let at = 0; at < SIZES[size]; at += CHUNK)
        await board.setMany(
          Array.from(
            { length: Math.min(CHUNK, SIZES[size]) },
            (_, turn) => [`m${at + turn}`, scoreOf(at + turn)] as const,
          ),
        );
    return (turn) => operation(board, turn);
  };
}

function byHand(
  size: Size,
  operation: (send: (command: string[]) => Promise<unknown>, turn: number) => Promise<unknown>,
): Contender {
  return async (target) => {
    const client = await tunedNodeRedis(target);
    const send = (command: string[]): Promise<unknown> => client.sendCommand(command);
    for (let at = 0; at < SIZES[size]; at += CHUNK) {
      const scored = Array.from({ length: Math.min(CHUNK, SIZES[size]) }, (_, turn) => [
        String(scoreOf(at + turn)),
        `m${at + turn}`,
      ]);
      await send(["ZADD", "board", ...scored.flat()]);
    }
    return (turn) => operation(send, turn);
  };
}
