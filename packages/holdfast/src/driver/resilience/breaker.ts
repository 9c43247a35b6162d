/**
 * A circuit breaker per node: closed -> open -> half-open -> closed.
 *
 * When does it open? A short outage (a failover takes one to five seconds) is ridden out by calls that wait inside
 * their deadlines and are woken by the next connection; a breaker that opens at the first failures would turn it into
 * errors. Waiting is pointless only once calls have waited as long as a call waits and still failed. So it opens when
 * the last `failures` attempts all failed *and* nothing succeeded for one default deadline. From then on a call fails
 * at once instead of holding its caller, its memory and a place in the waiting room for a whole deadline.
 *
 * Half-open: after each cool-down (doubling up to `MAX_COOL_DOWN_MS`, jittered) one call is let through as the probe.
 * Its success closes the breaker; so does the node's next `up` event, because a handshake was answered.
 *
 * Only attempts that got no answer count: refused without a server's word, lost, or overdue. An error reply is proof of
 * life. A node that is not suspected has no entry here, so a healthy driver pays one comparison per call.
 */
import type { Runtime } from "../../base/runtime.ts";
import { jitter } from "./backoff.ts";

const MAX_COOL_DOWN_MS = 30_000;

export interface BreakerOptions {
  readonly enabled: boolean;
  /** Failures in a row, at least, before it opens. */
  readonly failures: number;
  /** Time without any success, at least, before it opens. */
  readonly patienceMs: number;
  /** The first cool-down. */
  readonly coolDownMs: number;
}

interface Suspect {
  failures: number;
  /** Begin of the first failed attempt, on the monotonic clock in milliseconds. */
  readonly since: number;
  /** When the next probe may pass; undefined while the breaker is closed. */
  probeAt: number | undefined;
  coolDownMs: number;
}

export class Breakers {
  /** True while any node is suspected. */
  watching = false;
  readonly #options: BreakerOptions;
  readonly #runtime: Runtime;
  readonly #suspects = new Map<string, Suspect>();

  constructor(options: BreakerOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
  }

  /** An attempt on the node that began `elapsedMs` ago got no answer. */
  failed(node: string, elapsedMs: number): void {
    if (!this.#options.enabled || node === "") return;
    const now = this.#runtime.now();
    const suspect = this.#suspects.get(node) ?? this.#suspect(node, now - elapsedMs);
    suspect.failures += 1;
    if (suspect.probeAt === undefined && this.#exhausted(suspect, now)) this.#coolDown(suspect, now);
  }

  /** The node answered, or a connection to it was made, or it is gone for good. */
  clear(node: string): void {
    this.#suspects.delete(node);
    this.watching = this.#suspects.size > 0;
  }

  /** Milliseconds until the next probe may pass; 0 where the breaker is closed or a probe is due. */
  holdMs(node: string): number {
    const probeAt = this.#suspects.get(node)?.probeAt;
    return probeAt === undefined ? 0 : Math.max(0, probeAt - this.#runtime.now());
  }

  /** 0 lets a call through; where the breaker is open this is the probe, and the next one must wait. */
  admit(node: string): number {
    const holdMs = this.holdMs(node);
    const suspect = this.#suspects.get(node);
    if (holdMs === 0 && suspect?.probeAt !== undefined) this.#coolDown(suspect, this.#runtime.now());
    return holdMs;
  }

  #suspect(node: string, since: number): Suspect {
    const suspect: Suspect = { failures: 0, since, probeAt: undefined, coolDownMs: this.#options.coolDownMs };
    this.#suspects.set(node, suspect);
    this.watching = true;
    return suspect;
  }

  #exhausted(suspect: Suspect, now: number): boolean {
    return suspect.failures >= this.#options.failures && now - suspect.since >= this.#options.patienceMs;
  }

  #coolDown(suspect: Suspect, now: number): void {
    suspect.probeAt = now + jitter(this.#runtime, suspect.coolDownMs);
    suspect.coolDownMs = Math.min(MAX_COOL_DOWN_MS, suspect.coolDownMs * 2);
  }
}
