/** One candidacy, from its first attempt to the end of its lead. */
import type { AttemptCall, Busy, LeaseRequest } from "../core/lease/request.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import type { ElectionGrant, ElectionStore } from "./store.ts";

/** What has nothing to do with the values. */
type Server = Pick<ElectionStore<unknown>, "name" | "label" | "campaign" | "renew" | "resign" | "abandon">;

export class Candidacy implements LeaseRequest<ElectionGrant> {
  readonly op = "election.campaign";
  readonly token: string;
  /** The id of who is to follow; empty: the first candidate. */
  to = "";
  /** Who has been handed the lead; empty: nobody. */
  next = "";
  readonly #store: Server;
  readonly #value: Buffer;

  constructor(store: Server, token: string, value: Buffer) {
    this.#store = store;
    this.token = token;
    this.#value = value;
  }

  get name(): string {
    return this.#store.name;
  }

  get label(): string {
    return this.#store.label;
  }

  attempt(place: number | undefined, call: AttemptCall): Promise<ElectionGrant | Busy> {
    return this.#store.campaign(this.token, this.#value, place, call);
  }

  extend(ttlMs: number, call: AttemptCall): Promise<LeaseExtension> {
    return this.#store.renew(this.token, ttlMs, call);
  }

  async release(): Promise<LeaseEnd> {
    const { end, next } = await this.#store.resign(this.token, this.to);
    this.next = next;
    return end;
  }

  abandon(timeoutMs: number): Promise<void> {
    return this.#store.abandon(this.token, timeoutMs);
  }

  inVain(waitMs: number): string {
    return `somebody else still leads after ${waitMs} ms`;
  }
}
