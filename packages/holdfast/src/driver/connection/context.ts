/** What the parts of one transport share: its settings and the way to report changes to the outside. */
import type { HoldfastError } from "../../base/errors.ts";
import type { StateEvent, TransportError } from "../port.ts";
import type { Connection } from "./connection.ts";
import type { Fences } from "./fences.ts";
import type { Invalidations } from "./invalidation.ts";
import type { Settings } from "./options.ts";
import type { Address } from "./url.ts";

export interface TransportContext {
  readonly settings: Settings;
  readonly invalidations: Invalidations;
  readonly fences: Fences;
  /** True once the whole transport is closed; a single node is closed also when it serves no slots any more. */
  isClosed(): boolean;
  emit(event: StateEvent): void;
  /** A try of the first connection failed, and another follows. Must not throw. */
  failed(error: HoldfastError): void;
  /** Slots are served by other nodes now. Must not throw. */
  slotsMoved(cause: unknown): void;
  /** A command failed on the node at that address: MOVED, READONLY and the like say something of the topology. Must not throw. */
  learn(node: Address, error: TransportError, answeredBy: Connection): void;
}
