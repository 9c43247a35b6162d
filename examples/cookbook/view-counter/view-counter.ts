/**
 * Views of posts: counted on the server, shown at once, and written to PostgreSQL in batches some time later. A post that is seen a thousand times a second
 * costs the database one row per batch.
 *
 * The counter is what counts. The write says that a row is behind; the one who writes it takes the counter's value of that moment, so that two views at
 * once cannot leave the smaller number. A process that dies between the two leaves a row that the next view of the post makes right.
 */
import type { Cache, Holdfast } from "holdfast";

/** PGlite, or a pool of pg. */
export interface Database {
  query(text: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface ViewCounter {
  /** Counts a view; returns how many there are now. */
  seen(post: string): Promise<number>;
  /** How often it was seen. */
  views(post: string): Promise<number>;
  readonly rows: Cache<number>;
}

export async function migrate(db: Database): Promise<void> {
  await db.query(
    "CREATE TABLE IF NOT EXISTS views (post text PRIMARY KEY, n bigint NOT NULL, version bigint NOT NULL)",
  );
}

export function viewCounter(hf: Holdfast, db: Database): ViewCounter {
  const counter = hf.counter("views");
  const rows = hf.cache<number>("views", {
    ttl: "10m",
    writer: {
      mode: "behind",
      linger: "200ms",
      write: async (entries) => {
        const counts = await counter.getMany(entries.map(({ id }) => id));
        const values = entries.map(({ id, value = 0 }) => Math.max(value, counts.get(id) ?? 0));
        await db.query(
          "INSERT INTO views SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) " +
            "ON CONFLICT (post) DO UPDATE SET n = GREATEST(views.n, EXCLUDED.n), version = EXCLUDED.version WHERE views.version <= EXCLUDED.version",
          [entries.map(({ id }) => id), values, entries.map(({ version }) => version)],
        );
      },
    },
  });
  return {
    rows,
    async seen(post) {
      const { value } = await counter.increment(post);
      await rows.write(post, value);
      return value;
    },
    views: (post) =>
      rows.getOrSet(post, async () => {
        const { rows: found } = await db.query("SELECT n FROM views WHERE post = $1", [post]);
        return Number((found[0] as { readonly n: number | string } | undefined)?.n ?? 0);
      }),
  };
}
