/**
 * What could go wrong: it holds more than its capacity, a message is lost and no gap says so, a gap is at the wrong place.
 * All three are one property: what comes out is the story of what went in.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Inbox, type Item } from "./inbox.ts";
import type { ChannelGap, ChannelOverflow } from "./options.ts";
import { HoldfastError } from "../base/errors.ts";

const CAUSE = new Error("the connection was lost");

/** The plain story: everything that happened, in order, with what was given up marked as such. */
type Event = { readonly message: number; lost: boolean } | "disconnected";

function emptied(inbox: Inbox<number>): Item<number>[] {
  const items: Item<number>[] = [];
  for (let item = inbox.take(); item !== undefined; item = inbox.take()) items.push(item);
  return items;
}

/** What a consumer is to see of a story: each run of losses between two messages is one gap. */
function told(story: readonly Event[]): Item<number>[] {
  const items: Item<number>[] = [];
  let gap: ChannelGap | undefined;
  for (const event of story) {
    if (event === "disconnected") gap = { dropped: gap?.dropped ?? 0, disconnected: true, cause: CAUSE };
    else if (event.lost) gap = { disconnected: false, cause: undefined, ...gap, dropped: (gap?.dropped ?? 0) + 1 };
    else {
      if (gap !== undefined) items.push({ kind: "gap", gap });
      gap = undefined;
      items.push({ kind: "message", message: event.message });
    }
  }
  return gap === undefined ? items : [...items, { kind: "gap", gap }];
}

describe("Inbox", () => {
  it.each(["drop-oldest", "drop-newest"] as const)("%s: reports the whole story, whatever happens", (policy) => {
    const steps = fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant("put") }, fc.constantFrom("lose", "take")), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), steps, (capacity, sequence) => {
        const inbox = new Inbox<number>(capacity, policy);
        let story: Event[] = [];
        for (const [message, step] of sequence.entries()) {
          if (step === "put") {
            assert(inbox.put(message));
            story.push({ message, lost: false });
            keepWithin(story, capacity, policy);
          } else if (step === "lose") {
            inbox.disconnected(CAUSE);
            story.push("disconnected");
          } else {
            assert.deepEqual(inbox.take(), told(story)[0]);
            story = withoutFirst(story);
          }
        }
        expect(emptied(inbox)).toEqual(told(story));
      }),
      { numRuns: 300 },
    );
  });

  it("error: takes no more than there is room for, and fails after it", () => {
    const inbox = new Inbox<number>(2, "error");
    expect([inbox.put(1), inbox.put(2), inbox.put(3)]).toEqual([true, true, false]);
    const error = new HoldfastError("OVERLOADED", "full");
    inbox.fail(error);
    expect(inbox.take()).toEqual({ kind: "message", message: 1 });
    // There is room again, but what comes now would hide what was refused before.
    inbox.put(4);
    expect(emptied(inbox)).toEqual([
      { kind: "message", message: 2 },
      { kind: "failure", error },
    ]);
  });

  it("clear leaves nothing", () => {
    const inbox = new Inbox<number>(1, "drop-oldest");
    inbox.put(1);
    inbox.put(2);
    inbox.disconnected(CAUSE);
    inbox.clear();
    expect(inbox.take()).toBeUndefined();
    inbox.put(3);
    expect(emptied(inbox)).toEqual([{ kind: "message", message: 3 }]);
  });
});

function keepWithin(story: readonly Event[], capacity: number, policy: ChannelOverflow): void {
  const kept = story.filter((event) => event !== "disconnected").filter((event) => !event.lost);
  const over = kept.length > capacity && (policy === "drop-oldest" ? kept.at(0) : kept.at(-1));
  if (over) over.lost = true;
}

/** Taking returns the gap at the head of the story, or its first message. */
function withoutFirst(story: readonly Event[]): Event[] {
  const isMessage = (event: Event): boolean => event !== "disconnected" && !event.lost;
  const first = story.findIndex(isMessage);
  if (first === 0) return story.slice(1);
  return first === -1 ? [] : story.slice(first);
}
