import { expect, it } from "vitest";
import { commandTable } from "../commands/index.ts";
import { Engine } from "../engine/engine.ts";
import type { Reply } from "../base/reply.ts";
import { loadSnapshot, SnapshotError, takeSnapshot } from "./snapshot.ts";

const library = (name: string, result: string): string =>
  `#!lua name=${name}\nredis.register_function('${name}', function() return '${result}' end)`;

/** An engine, and what it answers to a client of it. */
function start(): { readonly engine: Engine; readonly ask: (...args: string[]) => Reply | undefined } {
  const engine = new Engine(commandTable);
  let answer: Reply | undefined;
  const ignore = (): void => undefined;
  const session = engine.connect({
    address: "",
    localAddress: "",
    reply: (reply) => void (answer = reply),
    push: ignore,
    resume: ignore,
    close: ignore,
  });
  return {
    engine,
    ask: (...args) => {
      session.execute(args);
      return answer;
    },
  };
}

it("keeps the libraries of functions, byte for byte", () => {
  const [one, other] = [start(), start()];
  one.ask("FUNCTION", "LOAD", library("f", "\xff"));
  one.ask("FUNCTION", "LOAD", library("g", "second"));
  other.ask("FUNCTION", "LOAD", library("h", "of its own"));
  loadSnapshot(other.engine, takeSnapshot(one.engine));
  expect(other.ask("FCALL", "f", "0")).toBe("\xff");
  expect(other.ask("FCALL", "g", "0")).toBe("second");
  expect(other.ask("FCALL", "h", "0")).toMatchObject({ message: "ERR Function not found" });
  expect(other.ask("FUNCTION", "LIST", "WITHCODE")).toEqual(one.ask("FUNCTION", "LIST", "WITHCODE"));
});

it("counts a library that comes or goes as a change to be written", () => {
  const { engine, ask } = start();
  const changes = [
    ["LOAD", library("f", "x")],
    ["DELETE", "f"],
    ["FLUSH"],
    ["DELETE", "f"],
    ["LOAD", "no library"],
  ].map((words) => {
    ask("FUNCTION", ...words);
    return engine.stats.changes;
  });
  expect(changes).toEqual([1, 2, 3, 3, 3]);
});

it("of a version before functions has none", () => {
  const { engine } = start();
  loadSnapshot(engine, Buffer.from('{"format":"holdfast-embedded-snapshot","version":1}\n{"keys":0}\n'));
  expect(engine.functions.libraries).toEqual([]);
});

it("with a library that cannot be loaded changes nothing", () => {
  const { engine, ask } = start();
  ask("FUNCTION", "LOAD", library("f", "kept"));
  ask("SET", "key", "kept");
  const head = {
    format: "holdfast-embedded-snapshot",
    version: 1,
    libraries: [library("g", "x"), "#!lua name=bad\n("],
  };
  const bytes = Buffer.from(`${JSON.stringify(head)}\n{"keys":0}\n`);
  expect(() => loadSnapshot(engine, bytes)).toThrow(SnapshotError);
  expect(ask("FCALL", "f", "0")).toBe("kept");
  expect(ask("FCALL", "g", "0")).toMatchObject({ message: "ERR Function not found" });
  expect(ask("GET", "key")).toBe("kept");
});
