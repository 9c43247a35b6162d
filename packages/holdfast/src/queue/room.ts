/** Where as many jobs wait as may: adding again until there is room. */
import { sleep, type Runtime } from "../base/runtime.ts";
import type { Entered } from "./additions.ts";

const FIRST_MS = 20;
const LONGEST_MS = 500;

/** The answer of `add`, called again while it is `full` and `waitMs` are not over. Nobody is told of room: it is looked for. */
export async function withRoom(runtime: Runtime, waitMs: number, add: () => Promise<Entered>): Promise<Entered> {
  const deadline = runtime.now() + waitMs;
  for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_MS)) {
    const entered = await add();
    const leftMs = deadline - runtime.now();
    if (entered.status !== "full" || leftMs <= 0) return entered;
    await sleep(runtime, Math.min(leftMs, pauseMs * (0.5 + runtime.random() / 2)));
  }
}
