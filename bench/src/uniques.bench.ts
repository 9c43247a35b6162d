/**
 * Uniques against commands by hand, on tuned node-redis: members added to 100 windows, a day of very many; and the count of seven such days,
 * by PFCOUNT of their keys, and by SUNION of sets.
 */
import { connect } from "holdfast";
import { tunedNodeRedis } from "./clients.ts";
import { type Contender, sideBySide, type Suite } from "./suite.ts";

const DAY_MS = 86_400_000;
const DAYS = 7;
const MEMBERS = 20_000;
const IDS = 100;

export const uniquesSuite: Suite = {
  contenders: {
    "uniques.add": async ({ url }) => {
      const uniques = (await connect(url)).uniques("bench");
      return (turn) => uniques.add(`id:${turn % IDS}`, `user:${turn}`);
    },
    "PFADD by hand": adding("PFADD"),
    "SADD by hand": adding("SADD"),
    "uniques.count": async ({ url }) => {
      const uniques = (await connect(url)).uniques("count");
      const now = Date.now();
      for (let day = 0; day < DAYS; day += 1) await uniques.add("x", membersOf(day), { at: now - day * DAY_MS });
      return () => uniques.count("x", { last: DAYS, to: now });
    },
    "PFCOUNT by hand": counting("PFADD", "PFCOUNT"),
    "SUNION by hand": counting("SADD", "SUNION"),
  },
  cases: [
    ...sideBySide("add", [50, 500], ["uniques.add"], ["PFADD by hand", "SADD by hand"]),
    ...sideBySide("seven days", [1], ["uniques.count"], ["PFCOUNT by hand", "SUNION by hand"]),
  ],
};

function membersOf(day: number): string[] {
  return Array.from({ length: MEMBERS }, (_, at) => `user:${day * 2_000 + at}`);
}

function adding(command: string): Contender {
  return async (target) => {
    const client = await tunedNodeRedis(target);
    return (turn) => {
      const key = `${command}:${turn % IDS}`;
      return Promise.all([
        client.sendCommand([command, key, `user:${turn}`]),
        client.sendCommand(["PEXPIRE", key, String(30 * DAY_MS)]),
      ]);
    };
  };
}

function counting(add: string, count: string): Contender {
  return async (target) => {
    const client = await tunedNodeRedis(target);
    const keys = Array.from({ length: DAYS }, (_, day) => `${count}:${day}`);
    for (const [day, key] of keys.entries()) await client.sendCommand([add, key, ...membersOf(day)]);
    return () => client.sendCommand([count, ...keys]);
  };
}
