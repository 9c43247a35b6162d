/** One period of a window, to be read. */
import type { Operations } from "../../core/observe/observe.ts";
import type { LeaderboardSettings } from "../options.ts";
import { type BoardReads, LeaderboardReads } from "../reads.ts";
import type { Closings, LeaderboardClosing } from "./closing.ts";
import type { WindowSettings } from "./options.ts";
import type { Period } from "./periods.ts";

export interface LeaderboardWindowAt {
  /** Periods back: 0 for the present one, 1 for the one before. @default 0 */
  readonly ago?: number;
}

/** What is read of a board in a period in which there is none. */
const NOBODY: BoardReads = {
  place: () => Promise.resolve(undefined),
  score: () => Promise.resolve(null),
  metas: (members) => Promise.resolve(members.map(() => null)),
  page: () => Promise.resolve({ total: 0, position: 1, rank: 0, rows: [], metas: [] }),
  around: () => Promise.resolve(undefined),
  count: () => Promise.resolve(0),
  scoreAt: () => Promise.resolve(null),
};

/**
 * Reads one period; which one that is follows from the server's time at each call.
 * @example
 * const lastWeek = await points.window("week", { ago: 1 }).top(3);
 */
export class LeaderboardWindow<Meta = unknown> extends LeaderboardReads<Meta> {
  readonly #closings: Closings<Meta>;
  readonly #window: WindowSettings;
  readonly #ago: number;

  constructor(
    operations: Operations,
    settings: LeaderboardSettings<Meta>,
    closings: Closings<Meta>,
    window: WindowSettings,
    ago: number,
  ) {
    super(operations, settings, async () => {
      const period = window.period(await closings.windows.now(), ago);
      return period === undefined ? NOBODY : closings.windows.storeOf(window, period);
    });
    this.#closings = closings;
    this.#window = window;
    this.#ago = ago;
  }

  /** Returns when the period begins and ends, in milliseconds since 1970, by the server's time now; undefined where there is none. Cost: none, mostly. */
  period(): Promise<Period | undefined> {
    return this.operations.run("window", undefined, async () =>
      this.#window.period(await this.#closings.windows.now(), this.#ago),
    );
  }

  /**
   * Returns the best of the period, as they are kept when it is over (`archive`), and longer than the period itself. Undefined while it is not
   * over, and where nobody was on it.
   * Cost: ZRANGE and GET, with `meta` HMGET; and the closing of the period, one script, where nobody has closed it yet.
   */
  archive(): Promise<LeaderboardClosing<Meta> | undefined> {
    return this.operations.run("archive", undefined, async () => {
      const period = await this.period();
      return period === undefined ? undefined : this.#closings.archive(this.#window, period);
    });
  }
}
