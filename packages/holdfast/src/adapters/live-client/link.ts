/** One attempt at a connection, however it is carried. */
import type { LiveNotice } from "./types.ts";

/** What is wanted, and where its client has got to. */
export interface LinkWanted {
  readonly subscription: string;
  readonly cursor: string | undefined;
}

export interface LinkListener {
  /** Anything at all, a heartbeat included. */
  heard(): void;
  message(subscription: string, id: string | undefined, json: string | { readonly value: unknown }): void;
  notice(notice: LiveNotice, id: string | undefined): void;
  retry(ms: number): void;
}

/** After `again` the client comes back; after the others not as it is. */
export type LinkEnd = "again" | "denied" | "refused" | "revoked" | "expired";

export interface Link {
  /** Resolves when it is over. Does not reject. */
  run(wanted: readonly LinkWanted[]): Promise<LinkEnd>;
  /** Resolves with whether the server has taken the change. Does not reject. */
  change(added: readonly LinkWanted[], removed: readonly string[]): Promise<boolean>;
  readonly isOver: boolean;
  /** Idempotent. */
  close(): void;
}
