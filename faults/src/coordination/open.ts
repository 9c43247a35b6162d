/** Ours, with options that suit a scenario, or what is put to the test instead. */
import type { Holdfast } from "holdfast";
import { openByHand } from "./by-hand.ts";
import { type CoordinationConfig, PERMITS } from "./entry.ts";
import type { Subject } from "./subject.ts";

export const WAIT = "4s";

export function openSubject(hf: Holdfast, config: CoordinationConfig): Subject {
  const { ttlMs: ttl, name: id } = config;
  if (config.subject !== "coordination") return openByHand(hf, config);
  const wait = { wait: WAIT } as const;
  return {
    lock: (name, { owner }) => hf.lock(name, owner === undefined ? { ttl } : { ttl, owner }).acquire(wait),
    semaphore: (name, { weight = 1 }) =>
      hf.semaphore(name, { permits: PERMITS, ttl }).acquire({ permits: weight, ...wait }),
    rwlock: (name, { mode = "write" }) => hf.rwlock(name, { ttl })[mode].acquire(wait),
    async election(name) {
      const leadership = await hf.election(name, { ttl, id }).campaign(wait);
      return {
        fence: leadership.term,
        get held() {
          return leadership.held;
        },
        get remainingMs() {
          return leadership.remainingMs;
        },
        get signal() {
          return leadership.signal;
        },
        release: () => leadership.resign(),
      };
    },
  };
}
