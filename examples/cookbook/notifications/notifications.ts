/**
 * Notifications with unread counts: an event is published once, any of the processes puts it into the inbox of each of its followers, and a
 * screen shows the newest ones and how many are unread. Each follower has each event once, whichever process dies when: it may be delivered
 * twice, and the second time its inbox has it.
 */
import type { Holdfast, Records, Topic, TopicSubscription } from "holdfast";

export interface NewsEvent {
  /** The same however often it is published. */
  readonly id: string;
  readonly text: string;
  readonly followers: readonly string[];
}

export interface Notification {
  readonly id: string;
  readonly text: string;
  readonly at: number;
}

export interface Inbox {
  /** The newest first. */
  readonly items: readonly Notification[];
  readonly unread: number;
}

const KEPT = 100;
const EMPTY: Inbox = { items: [], unread: 0 };

export class Notifications {
  readonly #events: Topic<NewsEvent>;
  readonly #inboxes: Records<Inbox>;

  constructor(hf: Holdfast) {
    this.#events = hf.topic<NewsEvent>("news", { partitions: 4, keepUnread: true });
    this.#inboxes = hf.records<Inbox>("inboxes");
  }

  async publish(event: NewsEvent): Promise<void> {
    await this.#events.publish(event, { id: event.id });
  }

  /** In as many processes as there are: each event goes to one of them. */
  deliver(): TopicSubscription {
    return this.#events.subscribe(
      "inboxes",
      async ({ payload: { id, text, followers }, publishedAt: at }) => {
        await Promise.all(followers.map((user) => this.#put(user, { id, text, at })));
      },
      { kind: "shared", start: "start", concurrency: 20, backoff: ["1s", "10s", "1m"] },
    );
  }

  async inbox(user: string): Promise<Inbox> {
    return (await this.#inboxes.get(user))?.value ?? EMPTY;
  }

  /** What has come since `seen` was read stays unread. @param seen the inbox as the user has it on the screen */
  async markRead(user: string, seen: Inbox): Promise<void> {
    const newest = seen.items[0];
    await this.#inboxes.update(
      user,
      (inbox) => {
        const place = inbox.items.findIndex(({ id }) => id === newest?.id);
        return { ...inbox, unread: place === -1 ? inbox.unread : Math.min(inbox.unread, place) };
      },
      { initial: EMPTY },
    );
  }

  async #put(user: string, notification: Notification): Promise<void> {
    const { status } = await this.#inboxes.update(
      user,
      (inbox) => {
        if (inbox.items.some(({ id }) => id === notification.id)) return inbox;
        const items = [notification, ...inbox.items].slice(0, KEPT);
        return { items, unread: Math.min(inbox.unread + 1, items.length) };
      },
      { initial: EMPTY },
    );
    // Many at a time for one inbox: the event is delivered again, and the others have it already.
    if (status === "conflict") throw new Error("the inbox was busy");
  }
}
