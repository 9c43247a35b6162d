/**
 * The home page of a social site, and its bell. Posts of those whom a user follows, the newest first; whoever posts does not wait for the followers.
 * Likes of one post and day are one notification, however many they are; the bell says how many are new, until it is opened.
 */
import type { Feed, FeedEntry, FeedPage, FeedWorker, Holdfast } from "holdfast";

export interface Post {
  readonly text: string;
}

export interface Notification {
  readonly kind: "like" | "follow";
  /** The post; of a follow, nothing. */
  readonly about: string;
}

export interface Line {
  readonly text: string;
  readonly isNew: boolean;
  readonly position: string;
}

export class HomeFeed {
  readonly #home: Feed<Post>;
  readonly #bell: Feed<Notification>;

  constructor(hf: Holdfast) {
    this.#home = hf.feed("home", { keep: "90d" });
    this.#bell = hf.feed("bell", { group: ({ activity: { kind, about }, day }) => `${kind}:${about}:${day}` });
  }

  /** For a process of its own, or each of them: brings posts of authors with many followers to these. */
  work(): FeedWorker {
    return this.#home.work();
  }

  /** A form that is sent twice posts once. */
  async post(author: string, id: string, text: string): Promise<string> {
    return (await this.#home.publish(author, { text }, { id })).id;
  }

  async follow(reader: string, author: string): Promise<void> {
    const { status } = await this.#home.follow(reader, author);
    if (status !== "ok") return;
    await this.#bell.publish(reader, { kind: "follow", about: "" }, { id: author, to: [author], followers: false });
  }

  unfollow(reader: string, author: string): Promise<boolean> {
    return this.#home.unfollow(reader, author);
  }

  async like(reader: string, post: string): Promise<void> {
    const posted = await this.#home.get(post);
    if (posted === undefined || posted.author === reader) return;
    await this.#bell.publish(
      reader,
      { kind: "like", about: post },
      { id: post, to: [posted.author], followers: false },
    );
  }

  /** Whoever likes it again rings no second time. */
  async unlike(reader: string, post: string): Promise<void> {
    await this.#bell.delete(this.#bell.idOf(reader, post));
  }

  page(reader: string, cursor?: string): Promise<FeedPage<Post>> {
    return this.#home.page(reader, cursor === undefined ? { limit: 10 } : { limit: 10, cursor });
  }

  /** New posts of the page that is open, as they come. */
  live(reader: string, signal: AbortSignal): AsyncIterable<FeedEntry<Post>> {
    return this.#home.live(reader, { signal });
  }

  /** The number on the bell. */
  async badge(reader: string): Promise<string> {
    const { count, more } = await this.#bell.unseen(reader);
    return more ? `${count}+` : String(count);
  }

  /** What was new is not new any more once it was opened. */
  async openBell(reader: string): Promise<Line[]> {
    const { entries } = await this.#bell.page(reader);
    const [newest] = entries;
    if (newest !== undefined) await this.#bell.markSeen(reader, newest.position);
    return entries.map(({ activity, group, author, seen, position }) => {
      const [first = author, ...others] = group?.authors ?? [];
      const rest = (group?.count ?? 1) - 1;
      const who = rest === 0 ? first : rest === 1 ? `${first} and ${others[0]}` : `${first} and ${rest} others`;
      return {
        text: `${who} ${activity.kind === "like" ? "liked your post" : "followed you"}`,
        isNew: !seen,
        position,
      };
    });
  }
}
