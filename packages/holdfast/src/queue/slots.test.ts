// What could go wrong, and the test for each:
// - places are not shared by weight in the long run ......... "shares places by weight ..."
// - a place is given to nobody though one wants it .......... the same, which counts all of them
// - who had nothing to do gets it back later ................ "one that comes later ..."
// - one that is not answered keeps the others waiting ....... "one that is not answered ..."
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Claimant, type Share, Slots } from "./slots.ts";

class Queue implements Claimant {
  running = 0;
  taken = 0;
  waiting = 0;
  isCalled = true;
  isHungry = true;
  readonly share: Share;

  constructor(slots: Slots, weight: number) {
    this.share = slots.share(weight);
    this.share.join(this);
  }

  look(): void {
    this.isCalled = true;
  }

  /** As a consumer does when it is called: until fewer jobs come than it has asked for. */
  async claim(most = 250): Promise<void> {
    this.isCalled = false;
    this.isHungry = true;
    while (this.isHungry) {
      const portion = this.share.portionOf(this);
      if (portion === 0) return this.share.starve(this);
      await this.share.claiming(this, portion, most, async (asked) => {
        const got = Math.min(asked, this.waiting);
        this.isHungry = got === asked;
        this.waiting -= got;
        this.running += got;
        this.taken += got;
        return got;
      });
    }
  }

  end(): void {
    this.running -= 1;
    this.share.freed();
  }
}

async function claimAll(queues: readonly Queue[]): Promise<void> {
  while (queues.some(({ isCalled }) => isCalled))
    await Promise.all(queues.filter(({ isCalled }) => isCalled).map((queue) => queue.claim()));
}

/** Ends the runs one by one, each time that of the queue that `chooses`, until so many have been taken. */
async function runUntil(queues: readonly Queue[], taken: number, choose: (busy: readonly Queue[]) => Queue) {
  const sum = () => queues.reduce((total, queue) => total + queue.taken, 0);
  while (sum() < taken) {
    choose(queues.filter(({ running }) => running > 0)).end();
    await claimAll(queues);
  }
}

describe("slots", () => {
  it("shares places by weight in the long run, whichever runs end, and leaves none empty", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 30 }),
        fc.infiniteStream(fc.nat()),
        async (weights, most, chances) => {
          const slots = new Slots(most);
          const queues = weights.map((weight) => new Queue(slots, weight));
          for (const queue of queues) queue.waiting = 100_000;
          await claimAll(queues);
          await runUntil(queues, 1_000, (busy) => {
            expect(slots.free).toBe(0);
            return busy[chances.next().value % busy.length]!;
          });
          const whole = weights.reduce((total, weight) => total + weight, 0);
          const taken = queues.reduce((total, queue) => total + queue.taken, 0);
          for (const [at, queue] of queues.entries())
            expect(Math.abs(queue.taken - (taken * weights[at]!) / whole)).toBeLessThanOrEqual(most + weights.length);
        },
      ),
      { numRuns: 30 },
    ));

  it("one that comes later has its share from then on, and not what it has missed", async () => {
    const slots = new Slots(4);
    const [early, late] = [new Queue(slots, 1), new Queue(slots, 1)];
    early.waiting = 100_000;
    await claimAll([early, late]);
    await runUntil([early, late], 1_000, ([busy]) => busy!);
    late.waiting = 100_000;
    late.look();
    await claimAll([early, late]);
    const before = early.taken;
    let at = 0;
    await runUntil([early, late], 1_200, (busy) => busy[(at += 1) % busy.length]!);
    expect(Math.abs(early.taken - before - late.taken)).toBeLessThanOrEqual(8);
  });

  it("strict: a later one gets only what the earlier ones do not want", async () => {
    const slots = new Slots(600, "strict");
    const queues = [new Queue(slots, 1), new Queue(slots, 1)] as const;
    const [first, second] = queues;
    first.waiting = 1_000;
    second.waiting = 1_000;
    await claimAll(queues);
    expect([first.running, second.running]).toEqual([600, 0]);
    await runUntil(queues, 1_000, ([busy]) => busy!);
    expect([first.taken, second.taken]).toEqual([1_000, 0]);
    await runUntil(queues, 1_100, ([busy]) => busy!);
    expect(second.taken).toBe(100);
    first.waiting = 1;
    first.look();
    await claimAll(queues);
    await runUntil(queues, 1_101, ([busy]) => busy!);
    expect(first.taken).toBe(1_001);
  });

  it("one that is not answered leaves the others what it does not get, and asks for one place first", async () => {
    const slots = new Slots(10);
    const [good, bad] = [new Queue(slots, 1), new Queue(slots, 9)];
    bad.waiting = 100;
    const lost = () => Promise.reject(new Error("away"));
    await expect(bad.share.claiming(bad, bad.share.portionOf(bad), 250, lost)).rejects.toThrow("away");
    expect(bad.share.portionOf(bad)).toBe(1);
    good.waiting = 100;
    await claimAll([good]);
    expect(good.running).toBe(10);
  });
});
