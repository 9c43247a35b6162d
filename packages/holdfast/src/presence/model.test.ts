/**
 * Random histories of a room, by two processes, against a plain map from devices to metas and holders.
 * What could go wrong: a count, a page or a picture is of another state than the answers have said; a bound is passed; a device is
 * in the room twice.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { PresenceEvent, PresenceMember, PresenceMembership } from "../index.ts";

const MAX_MEMBERS = 5;
const MAX_DEVICES = 2;
const USERS = ["a", "a\u0001", "b"];
const DEVICES = ["1", "2", "3"];

type Step =
  | { readonly do: "join"; readonly by: 0 | 1; readonly user: string; readonly device: string; readonly meta: number }
  | { readonly do: "update" | "leave"; readonly which: number; readonly meta: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("join" as const),
    by: fc.constantFrom(0 as const, 1 as const),
    user: fc.constantFrom(...USERS),
    device: fc.constantFrom(...DEVICES),
    meta: fc.nat(9),
  }),
  fc.record({ do: fc.constantFrom("update" as const, "leave" as const), which: fc.nat(20), meta: fc.nat(9) }),
);

interface Held {
  readonly membership: PresenceMembership<number>;
  meta: number;
}

/** Who holds each device, and what is expected of a step. */
class Model {
  readonly devices = new Map<string, Held>();

  joined(user: string, device: string): "ok" | "room" | "user" {
    if (this.devices.has(`${user}/${device}`)) return "ok";
    if (this.devices.size >= MAX_MEMBERS) return "room";
    const own = [...this.devices.keys()].filter((name) => name.startsWith(`${user}/`));
    return own.length >= MAX_DEVICES ? "user" : "ok";
  }

  holds({ user, device }: PresenceMembership<number>): Held | undefined {
    return this.devices.get(`${user}/${device}`);
  }

  get text(): string {
    return textOf([...this.devices].map(([name, { meta }]) => `${name}=${meta}`));
  }
}

const textOf = (devices: string[]): string => devices.toSorted().join(" ");
const namesOf = (members: Iterable<PresenceMember<number>>): string =>
  textOf([...members].flatMap(({ user, devices }) => devices.map(({ device, meta }) => `${user}/${device}=${meta}`)));

function put(picture: Map<string, PresenceMember<number>>, event: PresenceEvent<number>): void {
  if (event.type === "stale") return;
  if (event.type !== "change") picture.clear();
  const there = event.type === "change" ? [...event.joined, ...event.updated] : event.members;
  for (const member of there) picture.set(member.user, member);
  if (event.type === "change") for (const user of event.left) picture.delete(user);
}

describe.each(backends("standalone", "embedded"))("a room and its model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("answers, counts, pages and the picture are of one state", async () => {
    const history = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const name = randomName();
      const options = { grace: 0, maxMembers: MAX_MEMBERS, maxDevices: MAX_DEVICES } as const;
      const rooms = [handles.a.presence<number>(name, options), handles.b.presence<number>(name, options)] as const;
      const model = new Model();
      /** What each step was answered, and should have been. */
      const answers: { readonly said: unknown; readonly expected: unknown }[] = [];
      const all: PresenceMembership<number>[] = [];
      const picture = new Map<string, PresenceMember<number>>();
      const watch = rooms[0].watch();
      const watching = (async () => {
        for await (const event of watch) put(picture, event);
      })();
      for (const each of steps) {
        if (each.do === "join") {
          const { by, user, device, meta } = each;
          const expected = model.joined(user, device);
          const result = await rooms[by].join(user, { device, meta });
          answers.push({ said: result.status === "ok" ? "ok" : result.of, expected });
          if (result.status !== "ok") continue;
          all.push(result);
          model.devices.set(`${user}/${device}`, { membership: result, meta });
          continue;
        }
        const membership = all[each.which % Math.max(all.length, 1)];
        if (membership === undefined) continue;
        const held = model.holds(membership);
        const isHeld = held?.membership === membership;
        const answer = each.do === "update" ? membership.update(each.meta) : membership.leave();
        answers.push({ said: (await answer).status === "ok", expected: isHeld });
        if (!isHeld) continue;
        if (each.do === "update") held.meta = each.meta;
        else model.devices.delete(`${membership.user}/${membership.device}`);
      }
      expect(answers.map(({ said }) => said)).toEqual(answers.map(({ expected }) => expected));
      const { members } = await rooms[1].members();
      expect(namesOf(members)).toBe(model.text);
      const users = new Set([...model.devices.values()].map(({ membership }) => membership.user)).size;
      expect(await rooms[1].count()).toEqual({ users, devices: model.devices.size });
      await until("the picture", () => namesOf(picture.values()) === model.text);
      await watch[Symbol.asyncDispose]();
      await watching;
      await Promise.all(all.map((membership) => membership.leave()));
    });
    await fc.assert(history, { numRuns: 15 });
  });
});
