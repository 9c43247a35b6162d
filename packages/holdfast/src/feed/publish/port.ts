/** What a feed asks of a queue: primitives do not know each other, so the handle brings them together. */

/** `publish`: push this activity to its author's followers. `join`: push an author's newest to followers who pulled them until now. */
export type FeedJob = { readonly publish: string } | { readonly join: string; readonly since: number };

/** Goes through a source in steps, and remembers how far it has come: a later run of the same job goes on there. */
export type FeedChunks = <Item>(
  source: (after: number | undefined) => AsyncIterable<readonly [number, Item]>,
  each: (item: Item) => Promise<void>,
) => Promise<void>;

/** Pushes entries in the background, until it, or the handle, is closed. */
export interface FeedWorker extends AsyncDisposable {
  /** Idempotent. What has been begun goes on elsewhere, where it was. */
  close(): Promise<void>;
}

export interface FeedQueue {
  /** A job whose id is that of one that is not over is left out. */
  add(job: FeedJob, id: string): Promise<unknown>;
  work(run: (job: FeedJob, chunks: FeedChunks) => Promise<void>, concurrency: number): FeedWorker;
}
