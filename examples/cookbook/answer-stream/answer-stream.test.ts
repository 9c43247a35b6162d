// What could go wrong, and the test for each:
// - a page that was reloaded has words twice, or misses some .... "goes on behind the last words that were shown"
// - an attempt that comes too early asks the model again ........ "has one producer"
// - the next attempt begins again, or readers see both .......... "goes on with what was said"
// - a request that is sent again asks again, or begins again ... "as a response"
// - a producer that has died leaves readers waiting ............. "is told that it broke off"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { answers, type Answers, type Model, type Screen } from "./answer-stream.ts";

const WORDS = ["Once ", "upon ", "a ", "time ", "there ", "was ", "a ", "lock."];
const ANSWER = WORDS.join("");
/** No test waits for them. */
const LONG = { lease: "60s", takeover: "60s" } as const;

/** Says its next words when it is let; goes on behind what was said. */
class Typist {
  readonly asked: string[] = [];
  #allowed = 0;
  #said = 0;
  #resume: () => void = () => undefined;

  readonly model: Model = (_prompt, said, signal) => this.#type(said, signal);

  /** Lets it say so many of its words in all. */
  say(count: number): void {
    this.#allowed = count;
    this.#resume();
  }

  async *#type(said: string, signal: AbortSignal): AsyncGenerator<string> {
    this.asked.push(said);
    signal.addEventListener("abort", () => this.#resume());
    this.#said = WORDS.findIndex((_, count) => WORDS.slice(0, count).join("") === said);
    for (; this.#said < WORDS.length; this.#said += 1) {
      while (this.#said >= this.#allowed) {
        if (signal.aborted) return;
        await new Promise<void>((resolve) => (this.#resume = resolve));
      }
      yield WORDS[this.#said]!;
    }
  }
}

class Page implements Screen {
  text = "";
  position: string | undefined;
  end: unknown;
  readonly #stop = new AbortController();
  #following: Promise<void> | undefined;

  open(on: Answers, id: string, position?: string): this {
    this.#following = on.follow(id, this, this.#stop.signal, position);
    return this;
  }

  show(words: string, position: string): void {
    this.text += words;
    this.position = position;
  }

  over(how: unknown): void {
    this.end = how;
  }

  shows(text: string): Promise<unknown> {
    return until(`the page shows "${text}"`, () => this.text === text);
  }

  /** Until it has been told of the end. */
  async toEnd(): Promise<unknown> {
    await this.#following;
    return this.end;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }
}

describe.each(backends("standalone", "embedded"))("cookbook: answer stream [$name]", ({ url, options }) => {
  const prefix = `cook-${randomUUID()}`;
  const handles: Holdfast[] = [];
  const process = async (): Promise<Holdfast> => {
    const hf = await connect(url, { ...options, prefix, timeout: "30s" });
    handles.push(hf);
    return hf;
  };
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));
  const unasked: Model = () => {
    throw new Error("only followed here");
  };

  it("a page that was reloaded goes on behind the last words that were shown, in any process", async () => {
    const typist = new Typist();
    const asking = answers(await process(), typist.model, LONG);
    const [here, there] = [answers(await process(), unasked, LONG), answers(await process(), unasked, LONG)];
    const id = randomUUID();
    const [steady, first] = [new Page().open(here, id), new Page().open(here, id)];
    const producing = asking.produce(id, "a story");
    typist.say(3);
    await first.shows("Once upon a ");
    await first.close();
    typist.say(5);
    await steady.shows("Once upon a time there ");
    const again = new Page().open(there, id, first.position);
    await again.shows("time there ");
    typist.say(WORDS.length);
    expect(await producing).toEqual({ status: "ok" });
    expect(await again.toEnd()).toBe("complete");
    expect(await steady.toEnd()).toBe("complete");
    expect([first.text + again.text, steady.text]).toEqual([ANSWER, ANSWER]);
    const late = new Page().open(there, id);
    await late.toEnd();
    expect(late.text).toBe(ANSWER);
  });

  it("an answer has one producer: whoever comes meanwhile, or afterwards, does not ask the model", async () => {
    const typist = new Typist();
    const [one, two] = [answers(await process(), typist.model, LONG), answers(await process(), unasked, LONG)];
    const id = randomUUID();
    const producing = one.produce(id, "a story");
    await until("the model is asked", () => typist.asked.length === 1);
    expect(await two.produce(id, "a story")).toEqual({ status: "busy" });
    typist.say(WORDS.length);
    await producing;
    expect(await two.produce(id, "a story")).toEqual({ status: "over" });
  });

  it("the next attempt goes on with what was said, and readers see one answer", async () => {
    const [typist, next] = [new Typist(), new Typist()];
    const dying = await process();
    const [one, two] = [answers(dying, typist.model, LONG), answers(await process(), next.model, LONG)];
    const id = randomUUID();
    const page = new Page().open(two, id);
    const producing = one.produce(id, "a story").catch(() => undefined);
    typist.say(4);
    await page.shows("Once upon a time ");
    // It leaves the answer to others; of one that is killed that is so after a lease.
    await dying.close();
    await producing;
    next.say(WORDS.length);
    expect(await two.produce(id, "a story")).toEqual({ status: "ok" });
    expect(next.asked).toEqual(["Once upon a time "]);
    expect(await page.toEnd()).toBe("complete");
    expect(page.text).toBe(ANSWER);
  });

  it("as a response: a page that was cut off sends its request again, and goes on in another process", async () => {
    const typist = new Typist();
    const [here, there] = [answers(await process(), typist.model, LONG), answers(await process(), unasked, LONG)];
    const id = randomUUID();
    const ask = (on: Answers, seen?: string): Response =>
      on.respond(
        new Request("http://shop/answer", { headers: seen === undefined ? {} : { "last-event-id": seen } }),
        id,
        "a story",
      );
    const first = ask(here);
    typist.say(3);
    let text = "";
    const wordsOf = (): string[] =>
      [...text.matchAll(/^id: \S+\ndata: (".*")$/gm)].map(([, json]) => JSON.parse(json!) as string);
    const decoder = new TextDecoder();
    for await (const bytes of first.body!) {
      text += decoder.decode(bytes as Uint8Array);
      if (wordsOf().length === 3) break;
    }
    const again = ask(there, [...text.matchAll(/^id: (\S+)$/gm)].at(-1)![1]);
    typist.say(WORDS.length);
    const rest = await again.text();
    text += rest;
    expect(wordsOf()).toEqual(WORDS);
    expect(rest).toContain("event: end\n");
    expect(typist.asked).toEqual([""]);
  });

  it("a reader is told that it broke off, behind the last words, where nobody goes on", async () => {
    const typist = new Typist();
    const dying = await process();
    // The reader's lease says when it looks; the producer's is so long that a slow machine does not lose it.
    const reading = answers(await process(), unasked, { lease: 100, takeover: 20 });
    const id = randomUUID();
    const producing = answers(dying, typist.model, LONG)
      .produce(id, "a story")
      .catch(() => undefined);
    typist.say(2);
    const page = new Page().open(reading, id);
    await page.shows("Once upon ");
    await dying.close();
    await producing;
    expect(await page.toEnd()).toEqual({ broken: "the producer died" });
    expect(page.text).toBe("Once upon ");
  });
});
