/**
 * What could go wrong, and the test for each:
 * - the error is larger than stated ............................. "within 2.5 % in 99 of 100 trials"
 * - an encoding is misread, or a broken one is read .............. "sparse", "refuses"
 * - an estimate is another than that of Redis, few to very many .. "estimates", uniques.test.ts
 */
import { describe, expect, it } from "vitest";
import { CodecError } from "../base/errors.ts";
import { estimate, raiseTo, raiseBy, REGISTERS } from "./registers.ts";
import { hashOfMember, Union } from "./union.ts";

const sketch = (...codes: number[]): Buffer =>
  Buffer.concat([Buffer.from("HYLL\x01"), Buffer.alloc(11), Buffer.from(codes)]);
const runs = (...codes: number[]): number[] => {
  const registers = new Uint8Array(REGISTERS);
  raiseTo(registers, sketch(...codes), "key");
  return [...registers];
};

describe("registers", () => {
  it("is within 2.5 % in 99 of 100 trials, and its standard error is 0.81 %", () => {
    const errors: number[] = [];
    for (let trial = 0; trial < 100; trial += 1) {
      const registers = new Uint8Array(REGISTERS);
      for (let at = 0; at < 4_000; at += 1) raiseBy(registers, hashOfMember(`${trial}:${at}`));
      errors.push(estimate(registers) / 4_000 - 1);
    }
    expect(errors.filter((error) => Math.abs(error) <= 0.025).length).toBeGreaterThanOrEqual(99);
    const squares = errors.reduce((sum, error) => sum + error * error, 0);
    // With few members the registers say more than with many.
    expect(Math.sqrt(squares / 100)).toBeLessThanOrEqual(0.0081);
  });

  it("reads sparse ones: zeros, long zeros, and values of up to 32 in runs of up to four", () => {
    const read = runs(0x3f, 0x80 | (31 << 2) | 3, 0x84, 0x40 | ((16_314 - 1) >> 8), (16_314 - 1) & 0xff, 0x00);
    expect(read.slice(64, 69)).toEqual([32, 32, 32, 32, 2]);
    expect(read.filter((rank) => rank > 0)).toHaveLength(5);
  });

  it.each([
    ["too few registers", sketch(0x7f, 0xfe)],
    ["too many", sketch(0x7f, 0xff, 0x80)],
    ["nothing", sketch()],
    ["half of a long zero", sketch(0x7f)],
    ["an unknown encoding", Buffer.from("HYLL\x05".padEnd(16, "\0"))],
    ["a dense one that ends early", Buffer.from("HYLL".padEnd(12_303, "\0"))],
  ])("refuses %s", (_, stored) => {
    expect(() => raiseTo(new Uint8Array(REGISTERS), stored, "key")).toThrow(CodecError);
  });

  it("a list of very many members becomes an estimate", () => {
    const union = new Union();
    for (let window = 0; window < 550; window += 1) {
      const hashes = Array.from({ length: 120 }, (_, at) => hashOfMember(`${window}:${at}`));
      union.add(Buffer.concat([Buffer.from("uniques1"), ...hashes]), "key");
    }
    const { count, exact } = union.count();
    expect(exact).toBe(false);
    expect(Math.abs(count / 66_000 - 1)).toBeLessThan(0.025);
  });
});
