/** Scenario after scenario until the time is over or the servers differ. */
import { type Finding, shrink } from "./shrink.ts";
import { Arena } from "./run.ts";
import { type Scenario, scenarioOf, type Step } from "./scenario.ts";

const REPEATS = 5;

export interface FuzzOptions {
  /** Of the first scenario; each further one has the next number. */
  readonly seed: number;
  /** @default no limit */
  readonly scenarios?: number | undefined;
  /** @default no limit */
  readonly seconds?: number | undefined;
  /** Ends after so many differences. @default 1 */
  readonly differences?: number | undefined;
}

export interface FuzzOutcome {
  readonly scenarios: number;
  /** Sent to each server, scripts' own calls not counted. */
  readonly commands: number;
  readonly seconds: number;
  /** Seeds of differences that none of `REPEATS` further runs showed again: of time, or of a race in how they are run. Not counted. */
  readonly unrepeated: readonly number[];
  /** Each made as small as it could be, as text. */
  readonly differences: readonly string[];
}

export async function fuzz(options: FuzzOptions): Promise<FuzzOutcome> {
  const { seed, scenarios = Infinity, seconds = Infinity, differences: enough = 1 } = options;
  const arena = await Arena.open();
  const begin = performance.now();
  const elapsed = (): number => (performance.now() - begin) / 1000;
  const differences: string[] = [];
  let count = 0;
  let commands = 0;
  const unrepeated: number[] = [];
  try {
    for (; count < scenarios && elapsed() < seconds && differences.length < enough; count += 1) {
      const scenario = scenarioOf(seed + count);
      const difference = await arena.run(scenario);
      commands += arena.takeCommands();
      if (difference === undefined) continue;
      if (!(await repeats(arena, scenario))) {
        unrepeated.push(scenario.seed);
        continue;
      }
      differences.push(describe(await shrink(arena, { scenario, difference }), difference.step));
      arena.takeCommands();
    }
    return { scenarios: count, commands, seconds: elapsed(), unrepeated, differences };
  } finally {
    await arena.close();
  }
}

async function repeats(arena: Arena, scenario: Scenario): Promise<boolean> {
  let again = false;
  for (let run = 0; run < REPEATS && !again; run += 1) again = (await arena.run(scenario)) !== undefined;
  arena.takeCommands();
  return again;
}

function describe({ scenario, difference }: Finding, originalStep: number): string {
  const { seed, protocols, steps } = scenario;
  const where = difference.connection === undefined ? "the state at the end" : `connection ${difference.connection}`;
  return [
    `seed ${seed}, step ${originalStep}: ${where} (--seed ${seed} runs it again; RESP${protocols.join(", RESP")})`,
    ...steps.map((step) => `  ${step.by}> ${lineText(step)}`),
    `answering: ${quoted(difference.lines[0] ?? [])}`,
    ...(difference.failure === undefined ? [] : [`a server failed: ${difference.failure}`]),
    `real:      ${JSON.stringify(difference.real)}`,
    `embedded:  ${JSON.stringify(difference.embedded)}`,
  ].join("\n");
}

function lineText({ line }: Step): string {
  return line === "connect" ? "(reconnects)" : quoted(line);
}

function quoted(line: readonly string[]): string {
  return line.map((word) => (/^[\w.:{}*+-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}
