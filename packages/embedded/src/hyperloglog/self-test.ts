import { Bytes } from "../values/bytes.ts";
import { DENSE_BYTES, eachRegister, writeRegister } from "./dense.ts";
import { REGISTERS } from "./hash.ts";
import { HyperLogLog } from "./hyperloglog.ts";

/** Six standard errors: 1.04 / sqrt(registers) each. */
const TOLERANCE = (6 * 1.04) / Math.sqrt(REGISTERS);
const CHECKPOINTS: readonly number[] = [1, 10, 100, 1_000, 10_000, 100_000];
const SPARSE_MAX_BYTES = 3000;

/** PFSELFTEST: what is wrong, or undefined. Redis adds 10 million elements; a hundredth of that shows the same here. */
export function selfTest(): string | undefined {
  return testRegisters() ?? testCounts();
}

/** Registers keep what they are given, whatever their neighbours have. */
function testRegisters(): string | undefined {
  const ranks = Uint8Array.from({ length: REGISTERS }, () => Math.floor(Math.random() * 64));
  const bytes = new Bytes("\0".repeat(DENSE_BYTES));
  for (const [index, rank] of ranks.entries()) writeRegister(bytes, 0, index, rank);
  let failure: string | undefined;
  eachRegister(bytes, 0, (index, rank) => {
    if (rank !== ranks[index]) failure = `Register ${index} should be ${ranks[index]} but is ${rank}`;
  });
  return failure;
}

/** Both representations agree, and are near the truth. */
function testCounts(): string | undefined {
  const sparse = HyperLogLog.empty();
  const dense = HyperLogLog.empty();
  dense.toDense();
  const seed = Math.random();
  let added = 0;
  for (const checkpoint of CHECKPOINTS) {
    for (; added < checkpoint; added += 1) {
      sparse.add(`${seed}:${added}`, SPARSE_MAX_BYTES);
      dense.add(`${seed}:${added}`, SPARSE_MAX_BYTES);
    }
    const count = dense.recount();
    if (sparse.recount() !== count) return "dense/sparse disagree";
    const error = Math.abs(checkpoint - count);
    const allowed = checkpoint === 10 ? 1 : Math.ceil(TOLERANCE * checkpoint);
    if (error > allowed) return `Too big error. card:${checkpoint} abserr:${error}`;
  }
  return undefined;
}
