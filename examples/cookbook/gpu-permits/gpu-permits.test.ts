// What could go wrong, and the test for each:
// - more GPUs are used than there are ....................... "never uses more GPUs than there are"
// - a large scene waits for ever ............................ the same: it is among those that are drawn
// - a user waits, or is turned away though a GPU is free ..... "turns a user away while all are in use"
// - a process that died keeps its GPU ....................... "gives back what a dead process had"
// - maintenance breaks off what is being drawn ............... "goes on with half of them"
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomUUID } from "node:crypto";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { beginMaintenance, type Draw, endMaintenance, gpusOf, render, renderNow, type Scene } from "./gpu-permits.ts";

class Gpus {
  inUse = 0;
  most = 0;
  readonly drawn: string[] = [];
  readonly #open = new Map<string, () => void>();

  readonly draw: Draw = async ({ name, size }) => {
    const count = size === "large" ? 2 : 1;
    this.inUse += count;
    this.most = Math.max(this.most, this.inUse);
    await new Promise<void>((resolve) => this.#open.set(name, resolve));
    this.#open.delete(name);
    this.inUse -= count;
    this.drawn.push(name);
    return `${name}.png`;
  };

  /** The one that was begun first, or the one of that name. */
  finish(name = [...this.#open.keys()][0]!): void {
    this.#open.get(name)!();
  }
}

const scene = (name: string, size: Scene["size"] = "small"): Scene => ({ name, size });

describe.each(backends("standalone", "embedded"))("cookbook: GPU permits [$name]", ({ url, options }) => {
  let handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles = await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("never uses more GPUs than there are, however many processes want one", async () => {
    const gpus = new Gpus();
    const scenes = Array.from({ length: 12 }, (_, nth) => scene(`s${nth}`, nth % 4 === 3 ? "large" : "small"));
    const images = scenes.map((each, nth) => render(gpusOf(handles[nth % 3]!), each, gpus.draw));
    while (gpus.drawn.length < scenes.length) {
      const before = gpus.drawn.length;
      await until("all GPUs to be in use, or the last to be drawn", () => gpus.inUse > 0);
      gpus.finish();
      await until("one more", () => gpus.drawn.length > before);
    }
    expect(await Promise.all(images)).toEqual(scenes.map(({ name }) => `${name}.png`));
    expect(gpus.most).toBeLessThanOrEqual(4);
    expect(gpus.most).toBeGreaterThan(1);
  });

  it("turns a user away while all are in use, and goes on with half of them in maintenance", async () => {
    const gpus = new Gpus();
    const [one, two] = handles.map(gpusOf) as [ReturnType<typeof gpusOf>, ReturnType<typeof gpusOf>];
    const drawing = [render(one, scene("a", "large"), gpus.draw), render(two, scene("b", "large"), gpus.draw)];
    await until("four in use", () => gpus.inUse === 4);
    const busy = await renderNow(one, scene("c"), gpus.draw);
    expect((busy as { retryAfterSeconds: number }).retryAfterSeconds).toBeGreaterThan(0);
    await beginMaintenance(one);
    gpus.finish("a");
    expect(await drawing[0]).toBe("a.png");
    expect(await renderNow(two, scene("d"), gpus.draw)).toHaveProperty("retryAfterSeconds");
    await endMaintenance(two);
    const now = renderNow(two, scene("e"), gpus.draw);
    await until("three in use", () => gpus.inUse === 3);
    gpus.finish("b");
    gpus.finish("e");
    expect([await drawing[1], await now]).toEqual(["b.png", { image: "e.png" }]);
  });

  it("gives back what a dead process had", async () => {
    const gpus = new Gpus();
    // As of a process that was killed: it renews nothing and releases nothing.
    await handles[0]!.semaphore("gpu", { permits: 4, ttl: "1s", renew: false }).acquire({ permits: 4 });
    const image = render(gpusOf(handles[1]!), scene("a"), gpus.draw);
    await until("it to be drawn", () => gpus.inUse === 1);
    gpus.finish();
    expect(await image).toBe("a.png");
  });
});
