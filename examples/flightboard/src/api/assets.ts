/** The page's files, read once: nothing outside this list can be asked for. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Hono } from "hono";
import type { Env } from "./sign-in.ts";

interface Asset {
  readonly body: string;
  readonly type: string;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
};

/** Written by hand in `page/`; its scripts are compiled to `dist/page/`. Both hold from `src/api` and from `dist/api`. */
const FOLDERS = ["../../page/", "../../dist/page/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

export async function serveAssets(app: Hono<Env>, map: unknown): Promise<void> {
  const assets = new Map<string, Asset>([["/map.json", toAsset("map.json", JSON.stringify(map))]]);
  for (const folder of FOLDERS) {
    for (const file of await readdir(folder)) {
      const served = [".html", ".css", ".svg", ".js"].includes(extname(file));
      if (served) assets.set(`/${file}`, toAsset(file, await readFile(join(folder, file), "utf8")));
    }
  }
  const index = assets.get("/index.html");
  if (index !== undefined) assets.set("/", index);
  for (const [path, asset] of assets) {
    app.get(path, (c) => {
      const headers = { "content-type": asset.type, etag: asset.etag, "cache-control": "no-cache" };
      if (c.req.header("if-none-match") === asset.etag) return c.body(null, 304, headers);
      return c.body(asset.body, 200, headers);
    });
  }
}

function toAsset(file: string, body: string): Asset {
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { body, type: TYPES[extname(file)] ?? "text/plain", etag };
}
