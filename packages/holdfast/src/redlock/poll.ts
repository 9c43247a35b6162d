/** Asking all servers at once, for no longer than it takes to know. */

export interface Ballot<T> {
  readonly answers: readonly T[];
  readonly failures: readonly unknown[];
  /** How many have not answered. */
  readonly outstanding: number;
}

/** Resolves when `isDecided`, or when nobody is left to answer. Never rejects. */
export function poll<V, T>(
  voters: readonly V[],
  ask: (voter: V) => Promise<T>,
  isDecided: (ballot: Ballot<T>) => boolean,
): Promise<Ballot<T>> {
  return new Promise((resolve) => {
    const answers: T[] = [];
    const failures: unknown[] = [];
    let outstanding = voters.length;
    const note = (): void => {
      outstanding -= 1;
      const ballot = { answers: [...answers], failures: [...failures], outstanding };
      if (outstanding === 0 || isDecided(ballot)) resolve(ballot);
    };
    const hear = async (voter: V): Promise<void> => {
      try {
        answers.push(await ask(voter));
      } catch (error) {
        failures.push(error);
      }
      note();
    };
    for (const voter of voters) void hear(voter);
  });
}
