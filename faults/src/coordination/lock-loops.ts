/** Locks in all the ways that ours can be had: one, several at once, handed on by a token, broken by force. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Parts } from "./parts.ts";
import { WAIT } from "./open.ts";

const SEVERAL = ["x", "y", "z"];
/** Of ten holds. */
const HANDED_ON = 2;
const TAKEN_OVER = 2;
const BROKEN = 1;

export function lockLoops(parts: Parts): (() => Promise<void>)[] {
  return [() => oneLock(parts, "a"), () => oneLock(parts, "b"), () => severalLocks(parts)];
}

async function oneLock({ hf, config, recorder, section, random }: Parts, name: string): Promise<void> {
  const lock = hf.lock(name, { ttl: config.ttlMs });
  const on = `lock:${name}`;
  const way = random.integer(0, 9);
  if (way < BROKEN) {
    await recorder.note(
      { do: "force", on },
      () => lock.forceRelease(),
      (end) => end,
    );
    return;
  }
  if (way < BROKEN + TAKEN_OVER) {
    const left = await recorder.askResource({ ask: "take", on });
    if (left.token === undefined) return;
    const asked = { do: "resume", on, hold: left.hold! } as const;
    const { id, value } = await recorder.note(
      asked,
      () => lock.resume(left.token!),
      (end) => (end.status === "ok" ? { status: "ok", fence: end.lock.fence } : end),
    );
    if (value?.status === "ok") await section.hold(on, id, value.lock, { guards: true });
    return;
  }
  const isTried = way === 9;
  const { id, value: held } = await recorder.note(
    { do: "acquire", on },
    async () => {
      if (!isTried) return lock.acquire({ wait: WAIT });
      const answer = await lock.tryAcquire();
      return answer.status === "ok" ? answer.lock : undefined;
    },
    (got) => (got === undefined ? { status: "busy" } : { status: "ok", fence: got.fence }),
  );
  const isHandedOn = way < BROKEN + TAKEN_OVER + HANDED_ON;
  if (held !== undefined) await section.hold(on, id, held, { guards: true, isHandedOn });
}

/** Two of three, in either order. */
async function severalLocks({ hf, config, recorder, random }: Parts): Promise<void> {
  const without = random.integer(0, SEVERAL.length - 1);
  const names = SEVERAL.filter((_, at) => at !== without);
  if (random.integer(0, 1) === 0) names.reverse();
  const objects = names.map((name) => `lock:${name}`);
  const { ids, value: held } = await recorder.call(
    objects.map((on) => ({ do: "acquire", on })),
    () => hf.lock(names, { ttl: config.ttlMs }).acquire({ wait: WAIT }),
    ({ fences }, at) => ({ status: "ok", fence: fences.get(names[at]!) }),
  );
  if (held === undefined) return;
  for (let left = random.integer(1, 4); left > 0 && recorder.believe(ids, held); left -= 1)
    await sleep(random.integer(1, 25));
  await recorder.call(
    objects.map((on, at) => ({ do: "release", on, hold: ids[at]! })),
    () => held.release(),
    // What it says is the worst of them: of each by itself nothing more is known.
    ({ status }) => ({ status: status === "ok" ? "ok" : "failed" }),
  );
}
