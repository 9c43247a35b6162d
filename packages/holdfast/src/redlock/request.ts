/**
 * One request for a lock on a majority of the servers, through its attempts, its renewals and its release.
 *
 * An attempt has two rounds. The first asks every server for its vote, and each answers with a fence of its own, higher than
 * all that it has seen. The second stores the highest of them on a majority. Two majorities have a server in common, so the
 * next holder's fence is higher. The lock counts as held if both rounds were over within the ttl from before the first.
 *
 * Each attempt has a token of its own, so that what is taken back from a failed one can never hit the next.
 */
import { HoldfastError, InvalidArgumentError, isOutage, UnavailableError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import type { AttemptCall, Busy, LeaseRequest } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import { checkTtl, type RedlockTerms } from "./options.ts";
import { type Ballot, poll } from "./poll.ts";
import { VoteStore } from "./store.ts";
import type { Answer, Voter } from "./voter.ts";
import type { Voters } from "./voters.ts";

export interface RedlockGrant {
  readonly status: "acquired";
  readonly fence: number;
}

interface Seat {
  readonly voter: Voter;
  readonly store: VoteStore;
}

/** What one attempt has out. */
interface Attempt {
  readonly token: string;
  readonly callOff: AbortController;
  fence: number;
}

/** Made once: a reason that is not given is made each time, with its stack. */
const CALLED_OFF = new Error("the attempt is over");

export class RedlockRequest implements LeaseRequest<RedlockGrant> {
  readonly op = "redlock.acquire";
  readonly name: string;
  readonly label: string;
  readonly token: string;
  readonly #voters: Voters;
  readonly #seats: readonly Seat[];
  readonly #terms: RedlockTerms;
  readonly #runtime: Runtime;
  #attempts = 0;
  #current: Attempt | undefined;

  constructor(voters: Voters, name: string, label: string, terms: RedlockTerms) {
    this.name = name;
    this.label = label;
    this.#voters = voters;
    this.#seats = voters.all.map((voter) => ({ voter, store: new VoteStore(voter.core, name) }));
    this.#terms = terms;
    this.#runtime = voters.all[0]!.core.driver.runtime;
    this.token = this.#runtime.randomUUID();
  }

  async attempt(_place: number | undefined, call: AttemptCall): Promise<RedlockGrant | Busy> {
    this.#takeBack();
    await this.#voters.meet(call);
    this.#attempts += 1;
    const attempt = { token: `${this.token}-${this.#attempts}`, callOff: new AbortController(), fence: 0 };
    this.#current = attempt;
    const { token } = attempt;
    const within = this.#within(attempt, call);
    const given = await this.#poll(within, ({ store }) => store.acquire(token, this.#terms, within), isGiven);
    if (countOf(given, isGiven) < this.#voters.quorum) return this.#refused(given);
    attempt.fence = Math.max(...given.answers.map(({ reply }) => (reply.status === "given" ? reply.fence : 0)));
    const { fence } = attempt;
    const { ttlMs } = this.#terms;
    const stored = await this.#poll(within, ({ store }) => store.extend(token, ttlMs, fence, within), isExtended);
    if (countOf(stored, isExtended) < this.#voters.quorum) return this.#refused(stored);
    return { status: "acquired", fence };
  }

  async extend(ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    checkTtl(ttlMs, this.#terms.maxTtlMs);
    const attempt = this.#current!;
    const { fence, token } = attempt;
    const within = this.#within(attempt, call);
    const ballot = await this.#poll(within, ({ store }) => store.extend(token, ttlMs, fence, within), isExtended);
    if (countOf(ballot, isExtended) >= this.#voters.quorum) return "extended";
    const stolen = countOf(ballot, ({ reply }) => reply === "stolen");
    if (this.#seats.length - stolen < this.#voters.quorum) return "stolen";
    throw this.#unavailable(ballot);
  }

  async release(): Promise<LeaseEnd> {
    const ballot = await this.#end(this.#current!);
    const count = (end: LeaseEnd): number => ballot.answers.filter((answer) => answer === end).length;
    if (count("released") >= this.#voters.quorum) return "released";
    if (count("stolen") >= this.#voters.quorum) return "stolen";
    if (count("released") + ballot.failures.length < this.#voters.quorum) return "expired";
    const message = `${this.label}: released on ${count("released")} of ${this.#seats.length} servers; on the others it ends by its ttl`;
    throw new UnavailableError(message, { op: "redlock.release", key: this.name, cause: ballot.failures[0] });
  }

  async abandon(): Promise<void> {
    this.#takeBack();
  }

  inVain(waitMs: number, isHeldHere: boolean): string {
    const hint = isHeldHere ? "; this process holds it itself, and a redlock is held once at a time" : "";
    return `still held after ${waitMs} ms${hint}`;
  }

  /** Every server is asked to forget the attempt, also those that have not answered it: what it sent them may arrive yet. */
  #takeBack(): void {
    const attempt = this.#current;
    this.#current = undefined;
    if (attempt !== undefined) void this.#end(attempt);
  }

  #end({ callOff, token }: Attempt): Promise<Ballot<LeaseEnd>> {
    callOff.abort(CALLED_OFF);
    const { driver } = this.#seats[0]!.voter.core;
    // Longer than others may take: nobody waits for those that are slow.
    const timeoutMs = Math.max(this.#terms.timeoutMs, Math.min(this.#terms.ttlMs, driver.timeoutMs));
    const enough = ({ answers }: Ballot<LeaseEnd>): boolean =>
      answers.filter((answer) => answer === "released").length >= this.#voters.quorum;
    return poll(this.#seats, ({ store }) => store.release(token, { timeoutMs }), enough);
  }

  #poll<T>(
    call: AttemptCall,
    ask: (seat: Seat) => Promise<T>,
    isVote: (answer: Answer<T>) => boolean,
  ): Promise<Ballot<Answer<T>>> {
    const isDecided = (ballot: Ballot<Answer<T>>): boolean => {
      const votes = countOf(ballot, isVote);
      return votes >= this.#voters.quorum || votes + ballot.outstanding < this.#voters.quorum;
    };
    return poll(this.#seats, (seat) => seat.voter.ask(() => ask(seat), this.#voters.all, call), isDecided);
  }

  /** A failed attempt: others have the lock, or too few servers vote. */
  #refused(ballot: Ballot<Answer<unknown>>): Busy {
    this.#takeBack();
    const mistake = ballot.failures.find((error) => error instanceof InvalidArgumentError);
    if (mistake !== undefined) throw mistake;
    const voting = this.#seats.length - ballot.failures.length - countOf(ballot, ({ counts }) => !counts);
    if (voting < this.#voters.quorum) throw this.#unavailable(ballot);
    return { status: "busy", ttlMs: this.#terms.retryDelayMs * (0.5 + this.#runtime.random()), since: 0 };
  }

  /** What keeps a majority from voting. An error that no retry helps, as it is; an outage in words of its own. */
  #unavailable({ answers, failures }: Ballot<Answer<unknown>>): unknown {
    const fault = failures.find((error) => !isOutage(error) && !isTimeout(error));
    if (fault !== undefined) return fault;
    const young = answers.filter(({ counts }) => !counts).length;
    const parts = [
      failures.length > 0 ? `${failures.length} did not answer` : "",
      young > 0 ? `${young} started too short a time ago to vote` : "",
    ].filter((part) => part !== "");
    const why = parts.length > 0 ? parts.join(", ") : "others have the rest";
    const message = `${this.label}: needs ${this.#voters.quorum} of ${this.#seats.length} servers: ${why}`;
    return new UnavailableError(message, { op: this.op, key: this.name, cause: failures[0] });
  }

  #within({ callOff }: Attempt, { timeoutMs, signal }: AttemptCall): AttemptCall {
    return { timeoutMs, signal: signal === undefined ? callOff.signal : AbortSignal.any([signal, callOff.signal]) };
  }
}

function countOf<T>({ answers }: Ballot<T>, isCounted: (answer: T) => boolean): number {
  return answers.filter((answer) => isCounted(answer)).length;
}

function isGiven({ counts, reply }: Answer<{ readonly status: string }>): boolean {
  return counts && reply.status === "given";
}

function isExtended({ counts, reply }: Answer<string>): boolean {
  return counts && reply === "extended";
}

function isTimeout(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === "TIMEOUT";
}
