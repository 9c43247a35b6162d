// What could go wrong:
// - BullMQ has an option, in this version or the next one, of which the guide says nothing ... "the guide knows each option ..."
// - the test reads nothing, and so finds nothing missing ..................................... "reads options ..."
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const TYPES = join(createRequire(import.meta.url).resolve("bullmq/package.json"), "../dist/esm");
const GUIDE = new URL("../../../../docs/from-bullmq.md", import.meta.url);
/** Those of the client that it is given, which are the client's. */
const NOT_BULLMQS = "redis-options.d.ts";

/** Names of fields by the file that declares them. */
function optionsOf(folder: string): (readonly [file: string, options: readonly string[]])[] {
  const files = readdirSync(join(TYPES, folder)).filter((file) => /(-options|^flow-job|^keep-jobs)\.d\.ts$/.test(file));
  return files
    .filter((file) => file !== NOT_BULLMQS)
    .map((file) => {
      const text = readFileSync(join(TYPES, folder, file), "utf8").replaceAll(/\/\*[^]*?\*\//g, "");
      return [file, [...new Set([...text.matchAll(/^\s+(\w+)\??:/gm)].map(([, name]) => name!))]] as const;
    });
}

describe("the guide from BullMQ", () => {
  const files = [...optionsOf("interfaces"), ...optionsOf("types")];
  const code = [...readFileSync(GUIDE, "utf8").matchAll(/`([^`\n]+)`/g)].flatMap(
    ([, text]) => text!.match(/\w+/g) ?? [],
  );
  const known = new Set(code);

  it("reads options of each kind", () => {
    const all = files.flatMap(([, options]) => options);
    const some = ["defaultJobOptions", "maxStalledCount", "keepLastIfActive", "queueName", "tz", "block", "keepLogs"];
    expect(all).toEqual(expect.arrayContaining(some));
  });

  it.each(files.filter(([, options]) => options.length > 0))("the guide knows each option of %s", (_, options) => {
    expect(options.filter((option) => !known.has(option))).toEqual([]);
  });
});
