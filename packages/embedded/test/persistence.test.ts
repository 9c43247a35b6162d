/** A snapshot file beside a server: who may use it, when it is written, what is left of programs that end in any way. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createServer, type EmbeddedServer, keepSnapshot, type Reply, SnapshotError } from "holdfast-embedded";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compileInto } from "./support/compiled.ts";

let folder: string;
let path: string;
let number = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-embedded-"));
});
beforeEach(() => {
  path = join(folder, `state-${number++}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ask = (server: EmbeddedServer, line: string): Promise<Reply> =>
  new Promise((resolve) => server.connectInProcess().send(line.split(" "), resolve));

/** What a server finds in the file. */
async function kept(key: string): Promise<Reply> {
  await using server = createServer();
  const keeper = await keepSnapshot(server, { path });
  const value = await ask(server, `GET ${key}`);
  await keeper.close();
  return value;
}

describe("a snapshot file", () => {
  it("is its owner's alone, whatever was there before", async () => {
    await writeFile(path, "", { mode: 0o644 });
    await rm(path);
    await writeFile(`${path}.tmp`, "left by a process that was killed", { mode: 0o644 });
    await using server = createServer();
    const keeper = await keepSnapshot(server, { path });
    await ask(server, "SET a 1");
    await keeper.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("is not read or written through a link", async () => {
    const target = `${path}-target`;
    await writeFile(target, "not ours");
    await symlink(target, path);
    await using server = createServer();
    await expect(keepSnapshot(server, { path })).rejects.toThrow(/symbolic link/);
    expect(existsSync(`${path}.lock`)).toBe(false);
    await rm(path);
    await symlink(target, `${path}.tmp`);
    const keeper = await keepSnapshot(server, { path });
    await ask(server, "SET a 1");
    await keeper.close();
    expect(await readFile(target, "utf8")).toBe("not ours");
    expect(await kept("a")).toBe("1");
  });

  it("must have a name", async () => {
    await using server = createServer();
    await expect(keepSnapshot(server, { path: "" })).rejects.toThrow(/path is empty/);
  });

  it("keeps what is there from one server to the next, and is written only when something has changed", async () => {
    await using server = createServer();
    const keeper = await keepSnapshot(server, { path });
    expect(existsSync(path)).toBe(false);
    await ask(server, "SET a 1");
    await keeper.save();
    await utimes(path, 1, 1);
    await ask(server, "GET a");
    await keeper.close();
    expect(await kept("a")).toBe("1");
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("is written by itself", async () => {
    await using server = createServer();
    const keeper = await keepSnapshot(server, { path, intervalMs: 1 });
    await ask(server, "SET a 1");
    await expect.poll(() => existsSync(path)).toBe(true);
    await keeper.close();
  });

  it("is one server's at a time, also within a process", async () => {
    await using server = createServer();
    await using second = createServer();
    const keeper = await keepSnapshot(server, { path });
    await expect(keepSnapshot(second, { path })).rejects.toThrow(/in use by process/);
    await keeper.close();
    await (await keepSnapshot(second, { path })).close();
  });

  it("is free again after a process that was killed, and after one of our own number before us", async () => {
    await writeFile(`${path}.lock`, "999999999");
    expect(await kept("a")).toMatchObject({ kind: "nil" });
    await writeFile(`${path}.lock`, String(process.pid));
    await utimes(`${path}.lock`, 1, 1);
    expect(await kept("a")).toMatchObject({ kind: "nil" });
  });

  it("is left as it is where it is no snapshot", async () => {
    await writeFile(path, "something of mine\n");
    await using server = createServer();
    await expect(keepSnapshot(server, { path })).rejects.toThrow(SnapshotError);
    expect(await readFile(path, "utf8")).toBe("something of mine\n");
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("says so when it cannot be written, and frees the file all the same", async () => {
    await using server = createServer();
    const keeper = await keepSnapshot(server, { path });
    await ask(server, "SET a 1");
    await mkdir(`${path}.tmp`);
    await expect(keeper.save()).rejects.toThrow(/EISDIR/);
    await rm(`${path}.tmp`, { recursive: true });
    await keeper.close();
    expect(await kept("a")).toBe("1");
  });
});

describe("a busy script", () => {
  it("is not written half done", async () => {
    await using server = createServer();
    const keeper = await keepSnapshot(server, { path, intervalMs: 1 });
    await ask(server, "SET whole 1");
    await keeper.save();
    await ask(server, "CONFIG SET busy-reply-threshold 5");
    const script = "redis.call('SET', 'half', '1') while true do end";
    server.connectInProcess().send(["EVAL", script, "0"], () => undefined);
    await expect.poll(() => server.engine.busy.active).toBe(true);
    await expect(keeper.save()).rejects.toThrow(SnapshotError);
    await expect(keeper.close()).rejects.toThrow("half done");
    await server.close();
    expect(await kept("half")).toMatchObject({ kind: "nil" });
    expect(await kept("whole")).toBe("1");
  });
});

describe("a server that is restarted", () => {
  it("is written though it has as many changes as before", async () => {
    await using server = createServer();
    const keeper = await keepSnapshot(server, { path });
    await ask(server, "SET a before");
    await keeper.save();
    server.restart();
    await ask(server, "SET a after");
    await keeper.close();
    expect(await kept("a")).toBe("after");
  });
});

describe("a program that ends without closing", () => {
  beforeAll(() => compileInto(folder));

  const program = async (end: string): Promise<string> => {
    const file = `${path}.mjs`;
    await writeFile(
      file,
      `import { createServer, keepSnapshot } from "./dist/index.js";
       const server = createServer();
       await keepSnapshot(server, { path: ${JSON.stringify(path)}, intervalMs: 3_600_000 });
       const connection = server.connectInProcess();
       connection.send(["SET", "a", "1"], () => undefined);
       ${end}`,
    );
    return file;
  };

  it.each(["", "process.exit(0);", "throw new Error('expected');"])("keeps its state: %j", async (end) => {
    await promisify(execFile)(process.execPath, [await program(end)]).catch((error: Error) => {
      if (!error.message.includes("expected")) throw error;
    });
    expect((await readdir(folder)).filter((name) => /\.(lock|tmp)$/.test(name))).toEqual([]);
    expect(await kept("a")).toBe("1");
  });

  it("is not in the way of the next one when it was killed", async () => {
    const child = spawn(process.execPath, [await program("process.stdout.write('up'); setInterval(() => 0, 1000);")]);
    await once(child.stdout, "data");
    await expect(kept("a")).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await kept("a")).toMatchObject({ kind: "nil" });
  });
});
