// What could go wrong, and the test for each:
// - who comes late misses what was said, or what is said meanwhile ... "reads what was said, then what is said"
// - a reload shows a message twice, or misses one .................... "goes on behind the last message"
// - and everybody sees it leave and come back ........................ the same
// - a message that is sent again is said twice ....................... "says it once"
// - two tabs are two people, or one that is closed is the end of both .. "two tabs are one person"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast, type PresenceEvent, type PresenceEvents } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type ChatGuest, type ChatProfile, ChatRoom } from "./chat-room.ts";

const ADA = { user: "ada", tab: "1", profile: { name: "Ada" } };
const BOB = { user: "bob", tab: "1", profile: { name: "Bob" } };

describe.each(backends("standalone", "embedded"))("cookbook: chat room [$name]", ({ url, options }) => {
  let one: Holdfast;
  let two: Holdfast;
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    [one, two] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });
  afterAll(() => Promise.all([one?.close(), two?.close()]));

  /** Two servers of the same room. */
  const rooms = (): [ChatRoom, ChatRoom] => {
    const name = randomUUID();
    return [new ChatRoom(one, name), new ChatRoom(two, name)];
  };
  const read = async (guest: ChatGuest, count: number): Promise<{ texts: string[]; seen: string }> => {
    const texts: string[] = [];
    let seen = "";
    for await (const message of guest.messages()) {
      texts.push(message.payload.text);
      seen = message.position;
      if (texts.length === count) break;
    }
    return { texts, seen };
  };
  const next = async (people: PresenceEvents<ChatProfile>): Promise<PresenceEvent<ChatProfile>> =>
    (await people.next()).value!;

  it("whoever comes late reads what was said, then what is said", async () => {
    const [here, there] = rooms();
    await using ada = (await here.enter(ADA))!;
    await ada.say("hello", "1");
    await ada.say("is anybody here?", "2");
    await using bob = (await there.enter(BOB))!;
    const reading = read(bob, 4);
    await bob.say("I am", "1");
    await ada.say("at last", "3");
    expect((await reading).texts).toEqual(["hello", "is anybody here?", "I am", "at last"]);
    expect((await here.online()).map(({ user }) => user)).toEqual(["ada", "bob"]);
  });

  it("whoever sends a message again, because the answer was lost, says it once", async () => {
    const [here, there] = rooms();
    await using ada = (await here.enter(ADA))!;
    await using bob = (await there.enter(BOB))!;
    await Promise.all([ada.say("hello", "1"), ada.say("hello", "1")]);
    await bob.say("who is there?", "1");
    expect((await read(bob, 2)).texts).toEqual(["hello", "who is there?"]);
  });

  it("a reload goes on behind the last message that was seen, by another server, and nobody sees it", async () => {
    const [here, there] = rooms();
    await using ada = (await here.enter(ADA))!;
    await using people = ada.people();
    expect(await next(people)).toMatchObject({ type: "snapshot", members: [{ user: "ada" }] });
    const bob = (await here.enter(BOB))!;
    expect(await next(people)).toMatchObject({ type: "change", joined: [{ user: "bob" }] });
    await ada.say("one", "1");
    await ada.say("two", "2");
    const { seen } = await read(bob, 1);
    await bob[Symbol.asyncDispose]();
    await using again = (await there.enter({ ...BOB, seen }))!;
    await ada.say("three", "3");
    expect((await read(again, 2)).texts).toEqual(["two", "three"]);
    await using eve = await there.enter({ user: "eve", tab: "1", profile: { name: "Eve" } });
    expect(eve).toBeDefined();
    expect(await next(people)).toMatchObject({ type: "change", joined: [{ user: "eve" }], updated: [], left: [] });
  });

  it("two tabs are one person, until both are closed", async () => {
    const [here, there] = rooms();
    await using _ada = await here.enter(ADA);
    const second = (await there.enter({ ...ADA, tab: "2" }))!;
    expect(await here.online()).toMatchObject([{ user: "ada", devices: [{ device: "1" }, { device: "2" }] }]);
    await second[Symbol.asyncDispose]();
    expect((await here.online()).map(({ user }) => user)).toEqual(["ada"]);
  });
});
