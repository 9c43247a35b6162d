/**
 * The live flights of one open page: what it has missed, then each as it is published. The topic keeps them, so it makes no difference
 * whether the page was reloaded or this process is a new one.
 */
import type { TopicMessage, TopicStream } from "holdfast";
import type { FlightNews, State } from "../state/state.ts";
import { pause } from "../service.ts";
import type { Send } from "./hub.ts";

const FRAME_MS = 200;
/** Shown in one frame; the map cannot show more anyway. */
const PER_FRAME = 40;
/** As many as the page has rows for. */
const RECENT = 40;

/** @param seen the position of the last flight that the page has, "" for none. Resolves when `signal` has fired */
export async function sendFlights({ news }: State, seen: string, send: Send, signal: AbortSignal): Promise<void> {
  let from = seen;
  if (from === "") {
    const { messages, after } = await news.page({ limit: RECENT });
    await send("recent", flightsOf(messages), after);
    from = after;
  }
  await using stream = news.messages({ from, signal, onGap: () => send("gap", {}) });
  const frame = new Frame(stream);
  while (!signal.aborted) {
    await pause(FRAME_MS, signal);
    const { latest, position } = frame.take();
    if (latest.length > 0) await send("flights", latest, position);
  }
}

/** What has come since the last frame: of more than a page can show, the latest. */
class Frame {
  #latest: FlightNews[] = [];
  #position = "";

  constructor(stream: TopicStream<FlightNews>) {
    // It ends with the page, by its signal.
    void this.#follow(stream).catch(() => undefined);
  }

  take(): { readonly latest: readonly FlightNews[]; readonly position: string } {
    const latest = this.#latest;
    this.#latest = [];
    return { latest, position: this.#position };
  }

  async #follow(stream: TopicStream<FlightNews>): Promise<void> {
    for await (const { payload, position } of stream) {
      if (this.#latest.length === PER_FRAME) this.#latest.shift();
      this.#latest.push(payload);
      this.#position = position;
    }
  }
}

function flightsOf(messages: readonly TopicMessage<FlightNews>[]): FlightNews["flight"][] {
  return messages.map(({ payload }) => payload.flight);
}
