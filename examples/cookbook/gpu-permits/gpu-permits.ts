/**
 * Four GPUs for a fleet of any number of processes: no more than four scenes are rendered at a time, a large one takes two, and
 * a large one is not kept waiting by small ones that keep coming. A process that dies gives its GPUs back within 15 seconds.
 */
import type { Holdfast, Semaphore } from "holdfast";

export interface Scene {
  readonly name: string;
  readonly size: "small" | "large";
}

/** `signal` aborts when the GPU must no longer be used: somebody else may have it by then. */
export type Draw = (scene: Scene, signal: AbortSignal) => Promise<string>;

export function gpusOf(hf: Holdfast): Semaphore {
  return hf.semaphore("gpu", { permits: 4, ttl: "15s" });
}

/** For work in the background: waits for its turn, which comes in order of arrival. */
export function render(gpus: Semaphore, scene: Scene, draw: Draw): Promise<string> {
  return gpus.run((held) => draw(scene, held.signal), { permits: permitsOf(scene), wait: "10m" });
}

/** For a request of a user who would rather come again than wait. */
export async function renderNow(
  gpus: Semaphore,
  scene: Scene,
  draw: Draw,
): Promise<{ image: string } | { retryAfterSeconds: number }> {
  const result = await gpus.tryAcquire({ permits: permitsOf(scene) });
  if (result.status === "busy") return { retryAfterSeconds: Math.ceil(result.ttlMs / 1_000) };
  await using permit = result.permit;
  return { image: await draw(scene, permit.signal) };
}

/** A machine with two of the four goes into maintenance: what is rendered is finished, and half as much begins. */
export async function beginMaintenance(gpus: Semaphore): Promise<void> {
  await gpus.resize(2);
}

export async function endMaintenance(gpus: Semaphore): Promise<void> {
  await gpus.reset();
}

function permitsOf({ size }: Scene): number {
  return size === "large" ? 2 : 1;
}
