/** A server that answers but takes no writes for the moment. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Standalone } from "./servers.ts";
import { until } from "./until.ts";

export interface Refusal {
  readonly name: string;
  /** Of the error of a write. */
  readonly code: string;
  /** Whether writes that need no memory get through. */
  readonly partly: boolean;
  begin(server: Standalone): Promise<unknown>;
  end(server: Standalone): Promise<unknown>;
}

const config = (server: Standalone, name: string, value: string): Promise<unknown> =>
  server.command("CONFIG", "SET", name, value);

/** For a server that is started with `{ config: { "enable-protected-configs": "local" } }`. */
export const REFUSALS: readonly Refusal[] = [
  {
    name: "memory full",
    code: "SERVER_FULL",
    partly: true,
    begin: (server) => config(server, "maxmemory", "1"),
    end: (server) => config(server, "maxmemory", "0"),
  },
  {
    name: "too few replicas",
    code: "UNAVAILABLE",
    partly: false,
    begin: (server) => config(server, "min-replicas-to-write", "1"),
    end: (server) => config(server, "min-replicas-to-write", "0"),
  },
  {
    name: "snapshots fail",
    code: "SERVER",
    partly: false,
    async begin(server) {
      const lostFolder = mkdtempSync(join(tmpdir(), "holdfast-lost-"));
      await config(server, "dir", lostFolder);
      rmSync(lostFolder, { recursive: true });
      await config(server, "save", "3600 1");
      await server.command("BGSAVE");
      await until("the snapshot has failed", async () => {
        return String(await server.command("INFO", "persistence")).includes("rdb_last_bgsave_status:err");
      });
    },
    end: (server) => config(server, "save", ""),
  },
];
