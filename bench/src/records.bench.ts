/**
 * Records with two indexes against what is written by hand on tuned node-redis: a hash, a set for each country and a sorted set of ages in
 * one MULTI, whose reads are looked up and compared here. By hand everything is in one slot, and nothing repairs what a crash leaves.
 */
import { connect, type Records } from "holdfast";
import { type NodeRedis, tunedNodeRedis } from "./clients.ts";
import { type Contender, sideBySide, type Suite, type Target } from "./suite.ts";

interface User {
  readonly name: string;
  readonly email: string;
  readonly country: string;
  readonly age: number;
}

const USERS = 10_000;
const COUNTRIES = 50;
const PAGE = 20;

const userOf = (turn: number): User => ({
  name: "Ada Lovelace",
  email: `ada.${turn % USERS}@example.com`,
  country: `c${(turn * 7) % COUNTRIES}`,
  age: (turn * 31) % 100,
});
const idOf = (turn: number): string => `user:${turn % USERS}`;
const countryOf = (turn: number): string => `c${turn % COUNTRIES}`;

export const recordsSuite: Suite = {
  contenders: {
    "records.set": (target) => set(target, {}),
    "records.set with two indexes": (target) => set(target, { index: ["country", "age"] }),
    "records.set with two indexes and a unique field": (target) =>
      set(target, { index: ["country", "age"], unique: ["email"] }),
    "MULTI with two indexes by hand": async (target) => {
      const client = await tunedNodeRedis(target);
      return (turn) => setByHand(client, turn);
    },
    "records.find": async (target) => {
      const users = await filled(target);
      return (turn) => users.find({ country: countryOf(turn) }, { limit: PAGE });
    },
    "SRANDMEMBER and reads by hand": async (target) => {
      const client = await filledByHand(target);
      return async (turn) => {
        const ids = (await client.sendCommand([
          "SRANDMEMBER",
          `country:${countryOf(turn)}`,
          String(PAGE),
        ])) as unknown as string[];
        return Promise.all(ids.map((id) => client.sendCommand(["HGETALL", id])));
      };
    },
    "records.find of two fields in order": async (target) => {
      const users = await filled(target);
      return (turn) => users.find({ country: countryOf(turn), age: { gte: 18, lt: 65 } }, { sort: "age", limit: PAGE });
    },
    "ZINTERSTORE and reads by hand": async (target) => {
      const client = await filledByHand(target);
      return async (turn) => {
        const scratch = `scratch:${turn % 64}`;
        await client.sendCommand([
          "ZINTERSTORE",
          scratch,
          "2",
          "age",
          `country:${countryOf(turn)}`,
          "WEIGHTS",
          "1",
          "0",
        ]);
        const range = ["ZRANGE", scratch, "18", "(65", "BYSCORE", "LIMIT", "0", String(PAGE)];
        const ids = (await client.sendCommand(range)) as unknown as string[];
        return Promise.all(ids.map((id) => client.sendCommand(["HGETALL", id])));
      };
    },
  },
  cases: [
    ...sideBySide("set", [50], ["records.set with two indexes"], ["MULTI with two indexes by hand"]),
    ...sideBySide("set", [50], ["records.set with two indexes and a unique field"], ["MULTI with two indexes by hand"]),
    ...sideBySide("set", [50], ["records.set"], ["MULTI with two indexes by hand"]),
    ...sideBySide("a page of one field", [10], ["records.find"], ["SRANDMEMBER and reads by hand"]),
    ...sideBySide(
      "a page of two fields",
      [10],
      ["records.find of two fields in order"],
      ["ZINTERSTORE and reads by hand"],
    ),
  ],
};

async function set({ url }: Target, options: object): ReturnType<Contender> {
  const users = (await connect(url)).records<User>("users", options);
  return (turn) => users.set(idOf(turn), userOf(turn + Math.floor(turn / USERS)));
}

async function filled({ url }: Target): Promise<Records<User>> {
  const users = (await connect(url)).records<User>("users", { index: ["country", "age"] });
  await inSteps((turn) => users.set(idOf(turn), userOf(turn)));
  return users;
}

async function filledByHand(target: Target): Promise<NodeRedis> {
  const client = await tunedNodeRedis(target);
  await inSteps((turn) => setByHand(client, turn));
  return client;
}

async function inSteps(write: (turn: number) => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < USERS; turn += 100)
    await Promise.all(Array.from({ length: 100 }, (_, at) => write(turn + at)));
}

async function setByHand(client: NodeRedis, turn: number): Promise<unknown> {
  const [id, user] = [idOf(turn), userOf(turn + Math.floor(turn / USERS))];
  const before = (await client.sendCommand(["HGET", id, "country"])) as unknown as string | null;
  return client
    .multi()
    .addCommand(before === null ? ["PING"] : ["SREM", `country:${before}`, id])
    .addCommand(["HSET", id, "name", user.name, "email", user.email, "country", user.country, "age", String(user.age)])
    .addCommand(["SADD", `country:${user.country}`, id])
    .addCommand(["ZADD", "age", String(user.age), id])
    .exec();
}
