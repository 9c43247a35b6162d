/** What the parts of one transport share: its settings and the way to tell the outside of changes. */
import type { StateEvent, TransportError } from "../port.ts";
import type { ClientFactory } from "../node-redis/client.ts";
import type { Invalidations } from "./invalidation.ts";
import type { Node } from "./node.ts";
import type { Settings } from "./options.ts";

export interface Context {
  readonly settings: Settings;
  readonly invalidations: Invalidations;
  /** Makes the clients where they do not go over the network. */
  readonly createClient: ClientFactory | undefined;
  /** True once the whole transport is closed; a single node is closed also when it serves no slots any more. */
  isClosed(): boolean;
  emit(event: StateEvent): void;
  /** Slots are served by other nodes now. Must not throw. */
  slotsMoved(cause: unknown): void;
  /** A command failed on `node`: MOVED, READONLY and the like tell something of the topology. Must not throw. */
  learn(node: Node, error: TransportError): void;
}

const reported = new WeakSet<object>();

/**
 * A listener that throws must not reach node-redis: its decoder would lose its place in the stream. It is reported as
 * a process warning, each listener once.
 */
export function guarded(what: string, listener: object, call: () => void): void {
  try {
    call();
  } catch (error) {
    if (reported.has(listener)) return;
    reported.add(listener);
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`${what} threw: ${reason}`, { code: "HOLDFAST_LISTENER" });
  }
}
