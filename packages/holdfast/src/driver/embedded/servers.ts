/**
 * The embedded servers of this process: one per snapshot file and one that is in memory only. Handles share them; the
 * last handle that closes ends its server.
 */
import { createServer, type EmbeddedServer, keepSnapshot } from "holdfast-embedded";

/** A server on behalf of one handle. */
export interface HeldServer {
  readonly server: EmbeddedServer;
  /** Idempotent. For the last holder it resolves once the snapshot is written. */
  release(): Promise<void>;
}

interface Running {
  readonly server: EmbeddedServer;
  stop(): Promise<void>;
}

interface Shared {
  readonly running: Promise<Running>;
  holders: number;
}

const IN_MEMORY = "";
const shared = new Map<string, Shared>();
/** Servers that are writing their last snapshot, which the next one of the same file must read. */
const stopping = new Map<string, Promise<void>>();

/** @param path the snapshot file; undefined for the server which is in memory only */
export async function holdServer(path: string | undefined): Promise<HeldServer> {
  const name = path ?? IN_MEMORY;
  const found = shared.get(name) ?? { running: start(name), holders: 0 };
  shared.set(name, found);
  found.holders += 1;
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => (released ??= leave(name, found));
  try {
    const { server } = await found.running;
    return { server, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function start(name: string): Promise<Running> {
  await stopping.get(name);
  const server = createServer();
  if (name === IN_MEMORY) return { server, stop: () => server.close() };
  const snapshot = await keepSnapshot(server, { path: name });
  const stop = async (): Promise<void> => {
    try {
      await snapshot.close();
    } finally {
      await server.close();
    }
  };
  return { server, stop };
}

async function leave(name: string, held: Shared): Promise<void> {
  held.holders -= 1;
  if (held.holders > 0) return;
  if (shared.get(name) === held) shared.delete(name);
  const stopped = held.running.then(
    (running) => running.stop(),
    () => undefined,
  );
  const settled = stopped.catch(() => undefined);
  stopping.set(name, settled);
  try {
    await stopped;
  } finally {
    if (stopping.get(name) === settled) stopping.delete(name);
  }
}
