/**
 * A numbered database in a cluster: Valkey 9 has them with `cluster-databases`, every other server only database 0.
 *
 * What could go wrong, and the test for each:
 * - a connection works on database 0 although another was asked for ... "opens the database on every connection"
 * - a cluster without them is tried until the time is up .............. "refuses one that the cluster does not have"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findServer } from "../../../../scripts/ensure-server.mjs";
import { freePort, startStandalone, type Standalone, until } from "../support/servers.ts";
import { call, failureOf, openDriver } from "./support.ts";

const { name, version } = findServer() ?? { name: "none", version: "0" };
const hasDatabases = name === "valkey-server" && Number.parseInt(version, 10) >= 9;

let node: Standalone;
let cluster: string;

/** One node that serves all slots. */
beforeAll(async () => {
  const databases = hasDatabases ? { "cluster-databases": "4" } : {};
  const busPort = String(await freePort());
  node = await startStandalone({ config: { "cluster-enabled": "yes", "cluster-port": busPort, ...databases } });
  await node.command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
  await until("the cluster serves", async () => String(await node.command("CLUSTER", "INFO")).includes("state:ok"));
  cluster = node.url.replace("redis:", "redis-cluster:");
});
afterAll(() => node.stop());

describe("a numbered database in a cluster", () => {
  it.runIf(hasDatabases)("opens the database on every connection", async () => {
    for (const url of [`${cluster}/3`, `${node.url}/3`]) {
      await using driver = await openDriver({ url });
      expect(driver.caps.cluster).toBe(true);
      await driver.send(["SET", "where", "three", "PX", "60000"], call("idempotent"), "where");
      const lease = await driver.lease("where", call());
      expect(await lease.send(["GET", "where"], call())).toEqual(Buffer.from("three"));
      lease.release();
      expect(await node.command("EXISTS", "where")).toBe(0);
    }
  });

  it("refuses one that the cluster does not have, at once", async () => {
    for (const url of [`${cluster}/9`, `${node.url}/9`]) {
      const error = await failureOf(openDriver({ url, connectTimeout: "1m" }).then((driver) => driver.close()));
      expect(error).toMatchObject({ code: "SERVER", retryable: false });
      expect(error.message).toMatch(hasDatabases ? /check the database number/ : /only database 0/);
    }
  });
});
