/** What ends a hold of somebody else's: another takes it over, or it is released by force. */
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import { runScript } from "../core/script/run.ts";
import type { LockGrant, LockRequest } from "./grant.ts";
import { forceRelease, resume } from "./scripts.gen.ts";

/** A hold as its `token` names it. */
export interface LockHold {
  readonly token: string;
  readonly fence: number;
}

/** `missing`: nobody held it. */
export type LockForceReleaseResult =
  | {
      readonly status: "ok";
      /** Who held it; undefined where the server had lost its key, and with it who that was. */
      readonly owner: string | undefined;
      /** Of the hold that was ended. */
      readonly fence: number;
      /** Higher than that, lower than the next holder's. */
      readonly raisedTo: number;
    }
  | { readonly status: "missing" };

type TakeoverKeys = Readonly<Record<"lock" | "fence" | "holds" | "ended" | "queue" | "alive" | "broken", string>>;

export class LockTakeovers {
  readonly #core: Core;
  readonly #name: string;
  readonly #keys: TakeoverKeys;

  constructor(core: Core, name: string) {
    this.#core = core;
    this.#name = name;
    const keys = core.keys.group("lock", name);
    this.#keys = {
      lock: keys.key,
      fence: keys.part("fence"),
      holds: keys.part("holds"),
      ended: keys.part("ended"),
      queue: keys.part("queue"),
      alive: keys.part("alive"),
      broken: keys.part("broken"),
    };
  }

  async resume(
    { token: from, fence: number }: LockHold,
    { token, ttlMs }: LockRequest,
    call: AttemptCall,
  ): Promise<LockGrant | { readonly status: "expired" | "stolen" }> {
    const { driver, lateCopies, wakeups } = this.#core;
    const args = { from, number, token, ttlMs, lateCopies, wakeChannel: wakeups.channel };
    const options = { op: "lock.resume", key: this.#name, ...call };
    const answer = await runScript(driver, resume, this.#keys, args, options);
    if (answer.status !== "resumed") return answer;
    return { status: "acquired", fence: answer.fence, contended: answer.contended };
  }

  async forceRelease(timeoutMs: number): Promise<LockForceReleaseResult> {
    const { driver, lateCopies, wakeups } = this.#core;
    const id = driver.runtime.randomUUID();
    const args = { id, repeated: false, lateCopies, wakeChannel: wakeups.channel };
    const options = { op: "lock.forceRelease", key: this.#name, timeoutMs };
    const onRepeat = (): typeof args => ({ ...args, repeated: true });
    const answer = await runScript(driver, forceRelease, this.#keys, args, options, onRepeat);
    if (answer.status === "free") return { status: "missing" };
    const { owner, fence, raised } = answer;
    return { status: "ok", owner: owner === "" ? undefined : owner, fence, raisedTo: raised };
  }
}
