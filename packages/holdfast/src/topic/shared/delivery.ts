/** One delivery of one message to this process, from its claim to its outcome. */
import type { LeaseLostError } from "../../base/errors.ts";
import type { LogPack, LogPoint } from "../../core/log/pack.ts";
import { deliveryOf, type Settlement, type Token } from "./store.ts";

export type DeliveryState = "waits" | "runs" | "ended" | "lost";

export type DeadReason = "exhausted" | "rejected" | "undecodable";

/** How a delivery ends. `release`: later, and this delivery does not count. */
export type Outcome =
  | { readonly verb: "ack"; readonly isSkipped: boolean }
  | { readonly verb: "due" | "release"; readonly ms: number }
  | { readonly verb: "dead"; readonly reason: DeadReason; readonly error: unknown };

/** Told whether a settlement counted, once that is known. */
export type Done = (isValid: boolean, outcome: Outcome | undefined) => void;

/** Where a delivery comes from: a partition. */
export interface DeliveryOwner {
  readonly partition: number;
  /** The server's time. */
  readonly serverNow: number;
  /** Whether this process may begin with it. */
  begin(delivery: Delivery, now: number): boolean;
  settle(delivery: Delivery, verb: Settlement["verb"], ms: number, done?: Done, outcome?: Outcome): void;
  /** It is settled. */
  forget(delivery: Delivery): void;
}

export interface DeliveryTerm {
  readonly head: LogPoint;
  readonly claimedAt: number;
  readonly validUntil: number;
}

export class Delivery {
  readonly from: DeliveryOwner;
  token: Token;
  readonly pack: LogPack;
  readonly offset: number;
  /** On this process's clock. */
  readonly claimedAt: number;
  /** On this process's clock: until then nobody else has it. */
  validUntil: number;
  state: DeliveryState = "waits";
  #abort: AbortController | undefined = undefined;
  #lost: LeaseLostError | undefined = undefined;

  /** The end of the log when it was claimed; undefined of a dead letter that was redriven. */
  readonly point: LogPoint | undefined;

  constructor(from: DeliveryOwner, token: Token, pack: LogPack, offset: number, term: DeliveryTerm) {
    this.from = from;
    this.token = token;
    this.pack = pack;
    this.offset = offset;
    this.claimedAt = term.claimedAt;
    this.validUntil = term.validUntil;
    this.point = token.member.startsWith("c") ? undefined : term.head;
  }

  /** 1 for the first. */
  get number(): number {
    return deliveryOf(this.token.tag);
  }

  /** Made when it is asked for: most handlers never do. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#lost !== undefined) this.#abort.abort(this.#lost);
    }
    return this.#abort.signal;
  }

  /** Somebody else may have it: its outcome does not count. */
  lose(reason: LeaseLostError): void {
    this.state = "lost";
    this.callOff(reason);
  }

  callOff(reason: LeaseLostError): void {
    this.#lost ??= reason;
    this.#abort?.abort(this.#lost);
  }
}
