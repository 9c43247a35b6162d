/** Ways to a server for the embedded suite; each is a function that sends one command line and answers with its reply. */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { setImmediate as immediate } from "node:timers/promises";
import { connect } from "holdfast";
import { createServer } from "holdfast-embedded";
import RedisMock from "ioredis-mock";
import { tunedNodeRedis } from "./clients.ts";
import { Skipped, type Target } from "./suite.ts";

export type Send = (args: string[]) => Promise<unknown>;
export type Connect = (target: Target) => Promise<Send>;

/** One answer in so many waits for the event loop: answers at once alone would never let the round's timer run. */
const YIELD = 64;

export const real: Connect = async (target) => {
  const client = await tunedNodeRedis(target);
  return (args) => client.sendCommand(args);
};

export const embeddedOverTcp: Connect = () =>
  overTcp(new URL("./embedded-server.js", import.meta.url), process.execPath);
export const jsRedisServer: Connect = () => overTcp(new URL("./js-redis-server.js", import.meta.url), newerNode());

export const inProcess: Connect = () => {
  const connection = createServer().connectInProcess();
  return Promise.resolve(yielding((args) => new Promise<unknown>((resolve) => connection.send(args, resolve))));
};

/** It has no `call`: a command is the method of that name. */
export const ioredisMock: Connect = () => {
  const client = new RedisMock() as unknown as Record<string, (...args: string[]) => Promise<unknown>>;
  return Promise.resolve(yielding(([name = "", ...args]) => client[name.toLowerCase()]!(...args)));
};

function yielding(send: Send): Send {
  let sent = 0;
  return async (args) => {
    const reply = await send(args);
    if (++sent % YIELD === 0) await immediate();
    return reply;
  };
}

/** Through the library's driver with its deadlines and retries, to whatever the URL names. */
export function throughDriver(urlOf: (target: Target) => string): Connect {
  return async (target) => {
    const { driver } = await connect(urlOf(target));
    const call = { op: "bench", class: "idempotent" } as const;
    return (args) => driver.send(args, call, args[1]);
  };
}

/** The server in a process of its own, as a real one is. */
async function overTcp(program: URL, execPath: string): Promise<Send> {
  const child = fork(program, { execPath });
  const [port] = (await once(child, "message")) as [number];
  return real({ url: `redis://127.0.0.1:${port}`, port });
}

/** js-redis-server asks for Node 22: this one where it is new enough, otherwise one from npm. */
function newerNode(): string {
  if (Number.parseInt(process.versions.node, 10) >= 22) return process.execPath;
  const args = ["exec", "--yes", "--package=node@24", "--", "node", "-p", "process.execPath"];
  try {
    return execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    throw new Skipped("js-redis-server needs Node 22 or newer, and npm could not bring node@24");
  }
}
