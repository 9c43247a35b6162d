import fc from "fast-check";
import { afterAll, beforeAll, it } from "vitest";
import { type Oracle, type Pair, startOracle } from "./testing/differential.ts";

let oracle: Oracle;
let pair: Pair;
beforeAll(async () => {
  oracle = await startOracle();
  pair = await oracle.connect();
});
afterAll(async () => {
  pair.close();
  await oracle.close();
});

const digits = fc.integer({ min: 0, max: 999_999_999 }).map(String);
const decimal = fc
  .tuple(
    fc.constantFrom("", "-", "+"),
    digits,
    fc.constantFrom("", "."),
    digits,
    fc.constantFrom("", "e3", "e-7", "E+12", "e18"),
  )
  .map(([sign, whole, point, fraction, exponent]) => sign + whole + point + (point === "" ? "" : fraction) + exponent);
const double = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e25, max: 1e25 }).map(String);

it("adds floats to the last digit as Redis does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(decimal, double), fc.oneof(decimal, double), async (a, b) => {
      await pair.both(["SET", "f", a]);
      await pair.same(["INCRBYFLOAT", "f", b]);
    }),
    { numRuns: 500 },
  );
});

it("adds integers, or refuses them, as Redis does", async () => {
  const integer = fc.oneof(
    fc.bigInt(-(2n ** 63n) - 3n, 2n ** 63n + 3n),
    fc.bigInt(-10n, 10n),
    fc.bigInt(2n ** 53n - 5n, 2n ** 53n + 5n),
  );
  await fc.assert(
    fc.asyncProperty(integer, integer, fc.constantFrom("INCRBY", "DECRBY"), async (a, b, command) => {
      await pair.both(["SET", "n", String(a)]);
      await pair.same([command, "n", String(b)]);
      await pair.same("GET n");
    }),
    { numRuns: 500 },
  );
});

it("matches patterns as Redis does", async () => {
  const text = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet.split("")), maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(text("ab-c]\\^*"), text("ab-c[]\\^*?"), async (key, pattern) => {
      await pair.both("FLUSHDB");
      await pair.both(["SET", key, "x"]);
      await pair.same(["KEYS", pattern]);
    }),
    { numRuns: 1500 },
  );
});
