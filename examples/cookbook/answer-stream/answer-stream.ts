/**
 * An AI's answer that outlives its connections and its processes. One process asks the model; the words go to the server, and any number of
 * readers follow them from any process. A page that was reloaded goes on behind the last words that it showed. Where the asking process dies,
 * the job's next attempt goes on with what was said so far; where there is none, readers are told.
 *
 * To a browser it goes as the response to the request that asked, which may be sent again; or by `sse` of `holdfast/hono` and its siblings,
 * with the same stream as a source among others.
 */
import type { Duration, Holdfast, Stream, StreamPipeResult, StreamSource } from "holdfast";
import { streamResponse } from "holdfast/fetch";

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
  /**
   * Asks, if nobody has, and answers with server-sent events: what was said behind the request's `Last-Event-ID`, then what is being said,
   * then `end` or `aborted`. The answer goes on when the page is gone.
   */
  respond(request: Request, id: string, prompt: string): Response;
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
  const sourceOf = (stream: Stream<string>, prompt: string): StreamSource<string> =>
    async function* (writer) {
      const said = await firstOf(stream, writer.resumedAt);
      yield* model(prompt, said.join(""), writer.signal);
    };
  return {
    produce(id, prompt) {
      const stream = streamOf(id);
      return stream.pipe(sourceOf(stream, prompt));
    },
    respond(request, id, prompt) {
      const stream = streamOf(id);
      return streamResponse(request, stream, { source: sourceOf(stream, prompt) });
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
