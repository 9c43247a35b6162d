/** A server of the run's own: the launcher starts it, and at the end it goes with its data. */
import type { ServerKind } from "../options.ts";

export interface OwnServer {
  readonly kind: ServerKind;
  readonly url: string;
  /** Which server it is, for people. */
  readonly program: string;
  /** Ends it as roughly as its kind allows; it comes back by itself, with its data. False while it is away already. */
  strike(): boolean;
  stop(): Promise<void>;
}
