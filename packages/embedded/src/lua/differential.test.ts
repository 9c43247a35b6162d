/**
 * The engine beside a real server: the same scripts and functions, the same replies, byte for byte. What is written down in cases.txt,
 * and random snippets by seed. `HOLDFAST_LUA_SEEDS=<first>:<count>` chooses other seeds; a failure names its own.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type RespBytes,
  type RespClient,
  type Standalone,
  startStandalone,
} from "../../../holdfast/test/support/servers.ts";
import { type CompiledScript, createLuaEngine, type HostReply, LuaCompileError } from "./engine.ts";
import { FunctionEngine } from "./function-engine.ts";
import { formatExact } from "./runtime/number.ts";
import { CommandHost } from "./testing/host.ts";
import { snippetOf } from "./testing/snippets.ts";

const KEYS = ["k1"];
const ARGV = ["a1", "10"];
/** Scripts that are on their way to the server at once. */
const PIPELINE = 100;

let server: Standalone;
let client: RespClient;

beforeAll(async () => {
  server = await startStandalone();
  client = await server.connect();
});

afterAll(async () => {
  client.close();
  await server.stop();
});

/** A way to run a piece of Lua, on the server and on the engine. */
interface Form {
  onServer(source: string): Promise<RespBytes>;
  onEngine(source: string): HostReply;
}

it("the scripts that are written down", async () => {
  const cases = writtenDown();
  expect(cases.length).toBeGreaterThan(400);
  expect(await differences(asScript(), cases)).toEqual([]);
});

it("the same as functions", async () => {
  expect(await differences(asFunction(), writtenDown())).toEqual([]);
});

it.each(["scripts", "functions"])(
  "random snippets as %s",
  async (form) => {
    const [first, count] = (process.env["HOLDFAST_LUA_SEEDS"] ?? "1:2000").split(":").map(Number) as [number, number];
    const snippets = Array.from({ length: count }, (_, at) => snippetOf(first + at));
    const found = await differences(
      form === "scripts" ? asScript() : asFunction(),
      snippets,
      (at) => `seed ${first + at}\n`,
    );
    expect(found).toEqual([]);
  },
  600_000,
);

function writtenDown(): string[] {
  return readFileSync(new URL("testing/cases.txt", import.meta.url), "utf8")
    .split("\n===\n")
    .slice(1);
}

async function differences(
  form: Form,
  sources: readonly string[],
  title: (at: number) => string = () => "",
): Promise<string[]> {
  const found: string[] = [];
  for (let from = 0; from < sources.length; from += PIPELINE) {
    const chunk = sources.slice(from, from + PIPELINE);
    const theirs = await Promise.allSettled(chunk.map((source) => form.onServer(source)));
    for (const [at, source] of chunk.entries()) {
      const there = comparable(textOfServer(theirs[at]!));
      const here = comparable(textOfEngine(form, source));
      if (there !== here) found.push(`${title(from + at)}${source}\nserver: ${there}\nengine: ${here}`);
    }
  }
  return found;
}

/** Sources are latin1 on both sides. */
function asScript(): Form {
  const engine = createLuaEngine();
  return {
    onServer: (source) => client.bytes("EVAL", Buffer.from(source, "latin1"), KEYS.length, ...KEYS, ...ARGV),
    onEngine(source) {
      const sha1 = createHash("sha1").update(source, "latin1").digest("hex");
      return engine.compile(source, sha1).run(new CommandHost(), KEYS, ARGV);
    },
  };
}

/** Each as the only function of a library, which takes the place of the one before. */
function asFunction(): Form {
  const engine = new FunctionEngine();
  const library = (source: string): string => `\nredis.register_function('f', function(KEYS, ARGV)\n${source}\nend)`;
  return {
    async onServer(source) {
      const code = Buffer.from(`#!lua name=lib${library(source)}`, "latin1");
      const [loaded, reply] = await Promise.allSettled([
        client.bytes("FUNCTION", "LOAD", "REPLACE", code),
        client.bytes("FCALL", "f", KEYS.length, ...KEYS, ...ARGV),
      ]);
      const outcome = loaded.status === "rejected" ? loaded : reply;
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
    onEngine(source) {
      const host = new CommandHost();
      const functions: CompiledScript[] = [];
      engine.load(library(source), host, ({ compiled }) => void functions.push(compiled), {});
      return functions[0]!.run(host, KEYS, ARGV);
    },
  };
}

/** Addresses differ by nature; JavaScript does not show the sign of a NaN. */
function comparable(text: string): string {
  return text.replace(/0x[0-9a-f]{6,}/g, "0xADDRESS").replace(/-?nan/g, "nan");
}

function textOfServer(outcome: PromiseSettledResult<RespBytes>): string {
  if (outcome.status === "fulfilled") return show(outcome.value);
  const { message } = outcome.reason as Error;
  if (/closed|no reply/.test(message)) throw outcome.reason;
  return `error ${message}`;
}

function show(reply: RespBytes): string {
  if (reply === null) return "null";
  if (typeof reply === "number") return `integer ${reply}`;
  if (typeof reply === "string") return `status ${reply}`;
  if (reply instanceof Error) return `error ${reply.message}`;
  return Array.isArray(reply) ? `[${reply.map(show).join(", ")}]` : `bulk ${JSON.stringify(reply.toString("latin1"))}`;
}

function textOfEngine(form: Form, source: string): string {
  try {
    return showHost(form.onEngine(source));
  } catch (error) {
    if (error instanceof LuaCompileError) return `error ERR ${asUtf8(error.message)}`;
    throw new Error(`the engine failed on:\n${source}`, { cause: error });
  }
}

/** A reply as a RESP2 client sees it. */
function showHost(reply: HostReply): string {
  if (reply === null) return "null";
  if (typeof reply === "string") return `bulk ${JSON.stringify(reply)}`;
  if (typeof reply === "boolean") return `integer ${reply ? 1 : 0}`;
  if (typeof reply !== "object") return `integer ${Number(reply)}`;
  if (Array.isArray(reply)) return `[${reply.map(showHost).join(", ")}]`;
  switch (reply.type) {
    case "status":
    case "error":
      return `${reply.type} ${asUtf8(reply.value)}`;
    case "double":
      return showHost(formatExact(reply.value));
    case "map":
      return showHost(reply.entries.flat());
    case "set":
      return showHost(reply.items);
    default:
      return showHost(reply.value);
  }
}

/** The client of the test support reads lines as UTF-8. */
function asUtf8(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
