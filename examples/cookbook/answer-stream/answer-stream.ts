/**
 * An AI's answer that outlives its connections and its processes. One process asks the model; the words go to the server, and any number of
 * readers follow them from any process. A page that was reloaded goes on behind the last words that it showed. Where the asking process dies,
 * the job's next attempt goes on with what was said so far; where there is none, readers are told.
 *
 * To browsers it goes by `sse` of `holdfast/hono` and its siblings, with the same stream as a source.
 */
import type { Duration, Holdfast, Stream, StreamPipeResult } from "holdfast";

/** Asks a model to go on behind `said`. It stops at `signal`: somebody else has the answer then, or nobody. */
export type Model = (prompt: string, said: string, signal: AbortSignal) => AsyncIterable<string>;

export interface Screen {
  /** `position` is to be kept: whoever comes back goes on behind it. */
  show(words: string, position: string): void;
  /** That was all; or it broke off here, and why. */
  over(how: "complete" | { readonly broken: string }): void;
}

export interface Answers {
  /** In the job that asks the model, which may be tried again: an answer has one producer at a time. */
  produce(id: string, prompt: string): Promise<StreamPipeResult>;
  /** Shows what was said behind `position`, then what is being said, until the answer is over or `signal` fires. */
  follow(id: string, screen: Screen, signal: AbortSignal, position?: string): Promise<void>;
}

export interface AnswerPatience {
  /** A producer that has not been heard of in so long is taken for dead. */
  readonly lease?: Duration;
  /** So long the next attempt may take to begin. */
  readonly takeover?: Duration;
}

export function answers(hf: Holdfast, model: Model, { lease = "10s", takeover = "20s" }: AnswerPatience = {}): Answers {
  const streamOf = (id: string): Stream<string> => hf.stream<string>(`answer:${id}`, { ttl: "1h", lease, takeover });
  return {
    produce(id, prompt) {
      const stream = streamOf(id);
      return stream.pipe(async function* (writer) {
        const said = await firstOf(stream, writer.resumedAt);
        yield* model(prompt, said.join(""), writer.signal);
      });
    },
    async follow(id, screen, signal, position) {
      for await (const event of streamOf(id).read({ from: position ?? "start", signal })) {
        if (event.type === "chunk") screen.show(event.value, event.position);
        else if (event.type === "end") screen.over("complete");
        else if (event.type === "aborted") screen.over({ broken: event.reason });
        // The server has lost a part of it, or all: no answer to go on with.
        else return screen.over({ broken: "it is no longer there" });
      }
    },
  };
}

async function firstOf(stream: Stream<string>, count: number): Promise<string[]> {
  const said: string[] = [];
  if (count === 0) return said;
  for await (const words of stream.values()) if (said.push(words) === count) break;
  return said;
}
