/**
 * A circuit breaker per node: closed -> open -> half-open -> closed.
 *
 * When does it open? A short outage (a failover takes one to five seconds) is ridden out by calls that wait inside
 * their deadlines and are woken by the next connection; a breaker that opens at the first failures would turn it into
 * errors. Waiting is pointless only once calls have waited as long as a call waits and still failed. So it opens when
 * the last `failures` attempts all failed *and* nothing succeeded for one default deadline. From then on a call fails
 * at once instead of holding its caller, its memory and a place in the waiting room for a whole deadline.
 *
 * A call that has another way to go on (a cache's) has less patience: it fails at once after `HASTY_FAILURES` attempts and its own `patienceMs`. Such calls
 * have a gate of their own, with its own probes, so that they never hold back the others.
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
const HASTY_FAILURES = 3;

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
  readonly patient: Gate;
  readonly hasty: Gate;
}

interface Gate {
  /** When the next probe may pass; undefined while it is open to all. */
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
    const { failures, patienceMs } = this.#options;
    if (suspect.patient.probeAt === undefined && isSilent(suspect, now, failures, patienceMs))
      this.#coolDown(suspect.patient, now);
    // A probe that `admit` could not know as one, since it was not said which node the call would reach.
    for (const gate of [suspect.patient, suspect.hasty]) {
      if (gate.probeAt !== undefined && gate.probeAt <= now) this.#coolDown(gate, now);
    }
  }

  /** The node answered, or a connection to it was made, or it is gone for good. */
  clear(node: string): void {
    this.#suspects.delete(node);
    this.watching = this.#suspects.size > 0;
  }

  /** Milliseconds until the next probe may pass; 0 where the breaker is closed or a probe is due. */
  holdMs(node: string, patienceMs?: number): number {
    const probeAt = this.#gate(node, patienceMs)?.probeAt;
    return probeAt === undefined ? 0 : Math.max(0, probeAt - this.#runtime.now());
  }

  /** 0 lets a call through; where the breaker is open this is the probe, and the next one must wait. */
  admit(node: string, patienceMs?: number): number {
    const holdMs = this.holdMs(node, patienceMs);
    const gate = this.#gate(node, patienceMs);
    if (holdMs === 0 && gate?.probeAt !== undefined) this.#coolDown(gate, this.#runtime.now());
    return holdMs;
  }

  /** That of calls with this patience; undefined where the node is not suspected. */
  #gate(node: string, patienceMs?: number): Gate | undefined {
    const suspect = this.#suspects.get(node);
    if (suspect === undefined || patienceMs === undefined || patienceMs >= this.#options.patienceMs)
      return suspect?.patient;
    const { hasty } = suspect;
    const now = this.#runtime.now();
    const failures = Math.min(HASTY_FAILURES, this.#options.failures);
    if (hasty.probeAt === undefined && isSilent(suspect, now, failures, patienceMs)) this.#coolDown(hasty, now);
    return hasty;
  }

  #suspect(node: string, since: number): Suspect {
    const gate = (): Gate => ({ probeAt: undefined, coolDownMs: this.#options.coolDownMs });
    const suspect: Suspect = { failures: 0, since, patient: gate(), hasty: gate() };
    this.#suspects.set(node, suspect);
    this.watching = true;
    return suspect;
  }

  #coolDown(gate: Gate, now: number): void {
    gate.probeAt = now + jitter(this.#runtime, gate.coolDownMs);
    gate.coolDownMs = Math.min(MAX_COOL_DOWN_MS, gate.coolDownMs * 2);
  }
}

function isSilent(suspect: Suspect, now: number, failures: number, patienceMs: number): boolean {
  return suspect.failures >= failures && now - suspect.since >= patienceMs;
}
