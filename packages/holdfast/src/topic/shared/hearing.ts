/** What a subscription hears of others: messages that were put back, a seek, its removal, a server that has lost all. */
import { HoldfastError } from "../../base/errors.ts";
import { Pause } from "../../core/retry/pause.ts";
import { wakeKeyOf } from "../keys.ts";
import type { TopicSource } from "../source.ts";
import { registryKeys } from "../subscriptions/registry.ts";

export interface HearingParts {
  readonly source: TopicSource<unknown>;
  readonly name: string;
  readonly pollMs: number;
  readonly stop: AbortSignal;
  /** There may be something to claim. */
  readonly onWake: () => void;
  /** Nothing was heard for a `poll`. */
  readonly onSilence: () => void;
  readonly onRemoved: () => void;
  /** The server does not know of it. */
  readonly onUnknown: () => void;
}

/** Until `stop`. */
export function hear(parts: HearingParts): void {
  const { source, name, onWake } = parts;
  void listen(parts, wakeKeyOf(source.core, source.name, name), onWake);
  void listen(parts, registryKeys(source.core, source.name, name).members, () => void look(parts));
}

async function listen(
  { source, pollMs, stop, onSilence }: HearingParts,
  key: string,
  onWake: () => void,
): Promise<void> {
  const { wakeups, driver } = source.core;
  const { runtime } = driver;
  const pause = new Pause(runtime, stop);
  while (!stop.aborted) {
    try {
      const waiter = await wakeups.join(key);
      while (!stop.aborted) {
        const before = runtime.now();
        await waiter.next(pollMs, stop);
        if (stop.aborted) break;
        if (runtime.now() - before < pollMs) onWake();
        else onSilence();
      }
      waiter.leave();
    } catch (error) {
      if (error instanceof HoldfastError && error.code === "CLOSED") return;
      await pause.next();
    }
  }
}

/** Whoever removes a subscription wakes its members. */
async function look({ source, name, onRemoved, onUnknown }: HearingParts): Promise<void> {
  const { registry } = registryKeys(source.core, source.name, name);
  const call = { op: "topic.subscribe", class: "read", key: source.name } as const;
  const kind = await source.core.driver.send(["HGET", registry, "kind"], call, registry).catch(() => "");
  if (String(kind) === "removed") onRemoved();
  else if (kind === null) onUnknown();
}
