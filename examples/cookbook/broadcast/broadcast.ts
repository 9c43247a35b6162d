/**
 * A broadcast with replay: the lines of a live commentary go to everybody who follows it, and whoever joins late gets what was said before, then
 * goes on live. A follower that was away comes back with the position of the last line that it showed, to any process.
 *
 * What a follower cannot get any more (it was away for longer than lines are kept, or the server lost them) it is told, in its place.
 */
import type { Holdfast, TopicMessage } from "holdfast";

export interface Line {
  readonly minute: number;
  readonly text: string;
}

export interface Follower {
  /** Shows a line. Its `position` is to be kept: whoever comes back goes on behind it. */
  show(line: Line, position: string): void;
  /** Lines are missing here. */
  missing(): void;
}

export interface Broadcast {
  /** Sends a line to all followers. Sent again with the same number it is there once. */
  say(number: number, line: Line): Promise<void>;
  /** Shows all lines, those after `position` where it is given, and what is said from now on, until `signal` fires. */
  follow(follower: Follower, signal: AbortSignal, position?: string): Promise<void>;
  /** The newest lines, for a page that does not stay. */
  newest(count: number): Promise<readonly Line[]>;
}

export function broadcast(hf: Holdfast, match: string): Broadcast {
  const lines = hf.topic<Line>(`commentary:${match}`, { keep: "1d" });
  return {
    async say(number, line) {
      await lines.publish(line, { id: String(number) });
    },
    async follow(follower, signal, position) {
      const stream = lines.messages({ from: position ?? "start", signal, onGap: () => follower.missing() });
      for await (const message of stream) follower.show(message.payload, message.position);
    },
    async newest(count) {
      const { messages } = await lines.page({ limit: count });
      return messages.map((message: TopicMessage<Line>) => message.payload);
    },
  };
}
