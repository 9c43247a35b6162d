/**
 * What could go wrong, and the test for it:
 * - a load whose callers have all given up before it began is never told so ... "fires at once"
 * - one that gave up stops it for the others ................................. "when the last of them has given up"
 */
import { expect, it } from "vitest";
import { Deferred } from "../base/deferred.ts";
import { BulkLoad } from "./bulk-load.ts";

it("the signal of a bulk load fires at once if all gave up before it began", async () => {
  const seen = new Deferred<AbortSignal>();
  const bulk = new BulkLoad((_, { signal }) => (seen.resolve(signal), new Map()), ["a", "b"]);
  void bulk.load({ id: "a", signal: AbortSignal.abort(new Error("too late")) });
  bulk.known("b");
  expect((await seen.promise).reason).toEqual(new Error("too late"));
});

it("the signal of a bulk load fires when the last of them has given up", async () => {
  const seen = new Deferred<AbortSignal>();
  const bulk = new BulkLoad((_, { signal }) => (seen.resolve(signal), new Map()), ["a", "b"]);
  const late = new AbortController();
  void bulk.load({ id: "a", signal: AbortSignal.abort() });
  void bulk.load({ id: "b", signal: late.signal });
  const signal = await seen.promise;
  expect(signal.aborted).toBe(false);
  late.abort();
  expect(signal.aborted).toBe(true);
});
