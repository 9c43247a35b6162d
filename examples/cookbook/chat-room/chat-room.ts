/**
 * A chat room over any number of servers. Whoever comes late reads what was said before and then what is said, without a gap and nothing
 * twice; whoever reloads the page goes on behind the last message that they saw, and was never away. Everybody knows who is online; when
 * a server dies, its guests are gone for the others within seconds, unless they are back by another.
 */
import type { Holdfast, PresenceEvents, PresenceMember, TopicMessage } from "holdfast";

export interface ChatMessage {
  readonly user: string;
  readonly text: string;
}

export interface ChatProfile {
  readonly name: string;
}

/** One browser tab; `seen` is the position of the last message that it has shown. */
export interface ChatTab {
  readonly user: string;
  readonly tab: string;
  readonly profile: ChatProfile;
  readonly seen?: string | undefined;
}

export interface ChatGuest extends AsyncDisposable {
  /** Safe to send again with the same `id`, such as one that the browser made: it is said once. */
  say(text: string, id: string): Promise<void>;
  /** What was said, then what is said. @param missed called where messages are kept no longer */
  messages(missed?: (count: number | undefined) => void): AsyncIterable<TopicMessage<ChatMessage>>;
  /** Who is online, and who comes and goes. */
  people(): PresenceEvents<ChatProfile>;
}

export class ChatRoom {
  readonly #topic;
  readonly #presence;

  constructor(hf: Holdfast, name: string) {
    this.#topic = hf.topic<ChatMessage>(`chat:${name}`, { keep: "7d", maxMessages: 10_000 });
    this.#presence = hf.presence<ChatProfile>(`chat:${name}`, { ttl: "15s", grace: "5s", maxMembers: 5_000 });
  }

  /** Undefined where the room is full. */
  async enter({ user, tab, profile, seen }: ChatTab): Promise<ChatGuest | undefined> {
    const membership = await this.#presence.join(user, { device: tab, meta: profile });
    if (membership.status === "limit") return undefined;
    return {
      say: async (text, id) => void (await this.#topic.publish({ user, text }, { id: `${user}:${id}` })),
      messages: (missed = () => undefined) =>
        this.#topic.messages({
          from: seen ?? "start",
          onGap: (gap) => missed(gap.count),
        }),
      people: () => this.#presence.watch(),
      // A tab that is only reloaded is back within the grace.
      [Symbol.asyncDispose]: () => membership[Symbol.asyncDispose](),
    };
  }

  /** For the page before it is live. */
  async online(): Promise<readonly PresenceMember<ChatProfile>[]> {
    return (await this.#presence.members({ limit: 50 })).members;
  }
}
