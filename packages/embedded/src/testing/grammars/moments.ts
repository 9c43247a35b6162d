import type { Placeholders } from "../grammar.ts";

const NO_TIMES = ["0", "-1", "x", "9223372036854775807", "-9223372036854775808", "1.5", ""];

/**
 * Times to live that end long after the test, or long ago. Two that are the same would be compared by GT and LT to the
 * millisecond, so they are seldom.
 */
export const momentPlaceholders: Placeholders = {
  // SET keeps what has ended already until somebody looks.
  latersecond: (random) => (random.chance(0.2) ? random.pick(NO_TIMES) : `${random.integer(4e9, 5e9)}`),
  latermillisecond: (random) => (random.chance(0.2) ? random.pick(NO_TIMES) : `${random.integer(4e12, 5e12)}`),
  seconds: (random) => (random.chance(0.1) ? random.pick(NO_TIMES) : `${random.integer(10_000, 90_000_000)}`),
  milliseconds: (random) => (random.chance(0.1) ? random.pick(NO_TIMES) : `${random.integer(1e8, 9e10)}`),
  second: (random) => (random.chance(0.2) ? random.pick([...NO_TIMES, "1"]) : `${random.integer(4e9, 5e9)}`),
  millisecond: (random) => (random.chance(0.2) ? random.pick([...NO_TIMES, "1"]) : `${random.integer(4e12, 5e12)}`),
};
