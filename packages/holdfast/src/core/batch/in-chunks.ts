/**
 * One call about very many items: in chunks, a few of them at a time, so that it never takes all places of the handle
 * (`maxWaiting`) while the server is away, and so that its replies are not all in memory before the first is used.
 */

export interface ChunkBounds {
  /** Items of one chunk. @default 256 */
  readonly size?: number;
  /** Chunks in flight. @default 4 */
  readonly parallel?: number;
}

const SIZE = 256;
const PARALLEL = 4;

/**
 * Runs `task` for each chunk of the items and returns the results in the order of the items. The first failure rejects;
 * chunks in flight finish, and none begins after it.
 * @param task receives one chunk and resolves with one result per item of it, in their order
 */
export async function inChunks<Item, Result>(
  items: readonly Item[],
  task: (chunk: readonly Item[]) => Promise<readonly Result[]>,
  { size = SIZE, parallel = PARALLEL }: ChunkBounds = {},
): Promise<Result[]> {
  if (items.length <= size) return items.length === 0 ? [] : [...(await task(items))];
  const results: (readonly Result[])[] = [];
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed && next * size < items.length) {
      const at = next;
      next += 1;
      try {
        results[at] = await task(items.slice(at * size, (at + 1) * size));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return results.flat();
}
