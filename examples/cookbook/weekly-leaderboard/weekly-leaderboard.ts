/**
 * The week's best players: every process counts points, everybody sees the week's top ten, a place among their friends, and last week's winners.
 * When a week is over, one process gives the three best their prize, once, whoever dies meanwhile.
 */
import type { Holdfast, Leaderboard, LeaderboardClosings, LeaderboardEntry } from "holdfast";

export interface Player {
  readonly name: string;
}

export interface Page {
  readonly top: string[];
  readonly friends: string[];
  /** Of all players of the week, undefined for one who has no points in it. */
  readonly place: number | undefined;
  readonly winners: string[];
}

/** Pays a prize. It may be asked twice with one key, and pays once then. */
export type Award = (player: string, prize: number, options: { readonly idempotencyKey: string }) => Promise<void>;

const PRIZES = [100, 50, 25];

export class WeeklyLeaderboard {
  readonly #points: Leaderboard<Player>;

  constructor(hf: Holdfast, timeZone: string) {
    this.#points = hf.leaderboard<Player>("points", {
      meta: true,
      windows: [{ every: "week", keep: 4 }],
      timeZone,
      archive: { top: PRIZES.length, keep: "365d" },
    });
  }

  /** @param game by which a repeated request is known */
  async won(player: string, points: number, meta: Player, game: string): Promise<void> {
    await this.#points.increment(player, points, { meta, idempotencyKey: `${game}:${player}` });
  }

  async page(player: string, friends: readonly string[]): Promise<Page> {
    const week = this.#points.window("week");
    const [top, among, standing, last] = await Promise.all([
      week.top(10),
      week.among([player, ...friends]),
      week.rank(player),
      this.#points.window("week", { ago: 1 }).archive(),
    ]);
    return {
      top: top.map(line),
      friends: among.map(line),
      place: standing?.rank,
      winners: (last?.entries ?? []).map(line),
    };
  }

  /** Runs in every process; each week is one process's. */
  awardPrizes(award: Award): LeaderboardClosings<Player> {
    return this.#points.onClosed(async ({ id, entries }) => {
      for (const { member, rank } of entries) {
        const prize = PRIZES[rank - 1];
        if (prize !== undefined) await award(member, prize, { idempotencyKey: `${id}:${member}` });
      }
    });
  }
}

function line({ rank, member, score, meta }: LeaderboardEntry<Player>): string {
  return `${rank}. ${meta?.name ?? member}: ${score}`;
}
