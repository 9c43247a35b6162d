/** All servers of one Redlock. */
import { sleep } from "../base/runtime.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import { poll } from "./poll.ts";
import type { Voter } from "./voter.ts";

export class Voters {
  readonly all: readonly Voter[];
  /** More than half. */
  readonly quorum: number;
  #met: Promise<unknown> | undefined;

  constructor(all: readonly Voter[]) {
    this.all = all;
    this.quorum = Math.floor(all.length / 2) + 1;
  }

  /**
   * Before the first vote all that can be reached are asked who they are: a majority alone would not notice that the rest are
   * the same servers again.
   * @throws InvalidArgumentError while one of them is no independent primary
   */
  async meet({ timeoutMs }: AttemptCall): Promise<void> {
    this.#met ??= this.#introduceAll(timeoutMs);
    await this.#met;
    for (const voter of this.all) if (voter.isMistaken) await voter.introduce(this.all, { timeoutMs });
  }

  /** Connections are yet to be made, which takes longer than a vote. Once a majority is there the others are not waited for as long. */
  async #introduceAll(timeoutMs: number): Promise<void> {
    const introductions = this.all.map(async (voter) => {
      const { driver } = voter.core;
      await voter.introduce(this.all, { timeoutMs: driver.timeoutMs });
    });
    const majority = poll(
      introductions,
      (introduced) => introduced,
      ({ answers }) => answers.length >= this.quorum,
    );
    const { runtime } = this.all[0]!.core.driver;
    await Promise.race([Promise.allSettled(introductions), majority.then(() => sleep(runtime, timeoutMs))]);
  }
}
