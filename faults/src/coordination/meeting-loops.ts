/** Where processes wait for one another: a latch, a barrier, and those who look on at an election. */
import { COUNT, ENTER_MS, PARTIES } from "./entry.ts";
import type { Parts } from "./parts.ts";
import { setTimeout as sleep } from "node:timers/promises";

export function meetingLoops(parts: Parts): (() => Promise<void>)[] {
  return [() => latch(parts), () => barrier(parts), () => observer(parts)];
}

async function latch({ hf, config, recorder, random }: Parts): Promise<void> {
  const gate = hf.latch("gate", { count: COUNT });
  const on = "latch:gate";
  const id = config.name;
  await recorder.note(
    { do: "count", on, id },
    () => gate.countDown(id),
    (counted) => counted,
  );
  const { value } = await recorder.note({ do: "wait", on }, () => gate.wait({ timeout: "2s" }), opened);
  if (value !== undefined && random.integer(0, 1) === 0)
    await recorder.note({ do: "reset", on }, () => gate.reset(), opened);
}

async function barrier({ hf, config, recorder, random }: Parts): Promise<void> {
  const step = hf.barrier("step", { parties: PARTIES, ttl: config.ttlMs });
  const on = "barrier:step";
  const { id, value: pass } = await recorder.note({ do: "enter", on }, () => step.enter({ timeout: ENTER_MS }), opened);
  if (pass === undefined) return;
  await sleep(random.integer(1, 40));
  await recorder.note(
    { do: "leave", on, hold: id },
    () => pass.leave({ timeout: "5s" }),
    (end) => end,
  );
}

/** For a while, then again from the beginning. */
async function observer({ hf, config, recorder, random }: Parts): Promise<void> {
  const on = "election:e";
  await using states = hf
    .election("e", { ttl: config.ttlMs })
    .observe({ signal: AbortSignal.timeout(random.integer(500, 2_000)) });
  try {
    for await (const state of states)
      if (state.status === "led") recorder.write({ what: "observed", on, term: state.term, leader: state.id });
  } catch {
    // Nobody looks on any more.
  }
}

function opened({ round }: { readonly round: number }): { readonly status: "ok"; readonly round: number } {
  return { status: "ok", round };
}
