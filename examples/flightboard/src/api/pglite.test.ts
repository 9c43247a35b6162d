// What could go wrong: what is kept holds what somebody wrote, or cannot be read.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPGlite } from "./pglite.ts";

describe("PGlite", { timeout: 300_000 }, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pglite-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is made where what was kept is damaged, and empty when it is read again", async () => {
    const kept = join(folder, "empty.tar.gz");
    writeFileSync(kept, "damaged");
    for (const _time of ["made", "read"]) {
      const db = await openPGlite(kept);
      const { rows } = await db.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
      expect(rows).toEqual([]);
      await db.exec("CREATE TABLE left_behind (id int)");
      await db.close();
    }
  });
});
