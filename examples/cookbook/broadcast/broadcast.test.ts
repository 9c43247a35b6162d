// - a late joiner misses a line, or sees one twice, between history and live ... "gets all lines, each once"
// - whoever was away sees lines again, or misses some ........................... "comes back to another process"
// - a line that is sent again is shown twice .................................... "is shown once"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { type Broadcast, broadcast, type Line } from "./broadcast.ts";

describe.each(backends("standalone", "embedded"))("cookbook: broadcast [$name]", ({ url, options }) => {
  const prefix = `cook-${randomUUID()}`;
  const handles: Holdfast[] = [];
  const process = async (): Promise<Holdfast> => {
    const hf = await connect(url, { ...options, prefix, timeout: "30s" });
    handles.push(hf);
    return hf;
  };
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  const say = async (on: Broadcast, from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += 1) await on.say(at, { minute: at, text: `line ${at}` });
  };

  class Screen {
    readonly minutes: number[] = [];
    position: string | undefined;
    gaps = 0;
    readonly #stop = new AbortController();
    #following: Promise<void> | undefined;

    follow(on: Broadcast, position?: string): void {
      this.#following = on.follow(this, this.#stop.signal, position);
    }

    show({ minute }: Line, position: string): void {
      this.minutes.push(minute);
      this.position = position;
    }

    missing(): void {
      this.gaps += 1;
    }

    until(minute: number): Promise<unknown> {
      return until(`line ${minute} is shown`, () => this.minutes.at(-1) === minute);
    }

    async leave(): Promise<void> {
      this.#stop.abort();
      await this.#following;
    }
  }
  const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

  it("whoever joins late gets all lines, each once, while more are said", async () => {
    const [here, there] = [broadcast(await process(), "a"), broadcast(await process(), "a")];
    await say(here, 0, 20);
    const [early, late] = [new Screen(), new Screen()];
    early.follow(here);
    const saying = say(here, 20, 60);
    late.follow(there);
    await saying;
    for (const screen of [early, late]) {
      await screen.until(59);
      expect(screen.minutes).toEqual(numbers(60));
      expect(screen.gaps).toBe(0);
      await screen.leave();
    }
    expect((await there.newest(2)).map(({ minute }) => minute)).toEqual([58, 59]);
  });

  it("whoever was away comes back to another process and goes on", async () => {
    const [here, there] = [broadcast(await process(), "b"), broadcast(await process(), "b")];
    await say(here, 0, 10);
    const screen = new Screen();
    screen.follow(here);
    await screen.until(9);
    await screen.leave();
    await say(here, 10, 20);
    const again = new Screen();
    again.follow(there, screen.position);
    await again.until(19);
    expect(again.minutes).toEqual(numbers(10, 10));
    await again.leave();
  });

  it("a line that is sent again is shown once", async () => {
    const on = broadcast(await process(), "c");
    await say(on, 0, 3);
    await say(on, 1, 5);
    const screen = new Screen();
    screen.follow(on);
    await screen.until(4);
    expect(screen.minutes).toEqual(numbers(5));
    await screen.leave();
  });
});
