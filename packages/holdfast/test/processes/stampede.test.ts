/**
 * What could go wrong, and the test for it:
 * - a cold entry is loaded more than once by a fleet that asks for it at the same moment ... "costs one load"
 * - a process that has not loaded gets no answer, or another one ........................ "costs one load"
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { backends } from "../support/backends.ts";
import { Mortals } from "../support/mortal.ts";

interface Outcome {
  readonly loads: number;
  readonly answers: readonly string[];
}

const PROCESSES = 8;
const CALLERS = 500;

async function told<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, "message")) as [T];
  return message;
}

describe.each(backends("standalone", "cluster"))("a crowd before a cold cache [$name]", ({ url }) => {
  it(`costs one load, whatever it is that ${PROCESSES} processes of ${CALLERS} callers each ask for`, async () => {
    await using program = await Mortals.of(new URL("crowd.child.ts", import.meta.url));
    const prefix = `test-${randomUUID()}`;
    const children = Array.from({ length: PROCESSES }, () => program.start(url, prefix));
    await Promise.all(children.map((child) => told(child)));
    for (const id of ["first", "second", "third"]) {
      const outcomes = children.map((child) => told<Outcome>(child));
      for (const child of children) child.send({ id, callers: CALLERS });
      const all = await Promise.all(outcomes);
      expect(all.reduce((sum, { loads }) => sum + loads, 0)).toBe(1);
      expect(new Set(all.flatMap(({ answers }) => answers)).size).toBe(1);
    }
  });
});
