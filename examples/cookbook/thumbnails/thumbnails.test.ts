// - an album is published before its pictures are there ..... "publishes when all pictures are scaled, without those that are none"
// - a request that comes twice scales everything twice ...... the same
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { albumQueues, publish, publishAlbums, scalePictures } from "./thumbnails.ts";

describe.each(backends("standalone", "embedded"))("cookbook: thumbnails [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it("publishes when all pictures are scaled, without those that are none", async () => {
    const queues = albumQueues(hf);
    const scaled: string[] = [];
    const scale = async (picture: string, width: number): Promise<string | undefined> => {
      scaled.push(`${picture}-${width}`);
      return picture === "text" ? undefined : `${picture}-${width}`;
    };
    const id = await publish(queues, "holiday", ["beach", "text", "sea"]);
    expect(await publish(queues, "holiday", ["beach", "text", "sea"])).toBe(id);
    await using _one = scalePictures(queues, scale);
    await using _two = scalePictures(queues, scale);
    await using _three = publishAlbums(queues);
    const files = ["beach-320", "beach-1280", "sea-320", "sea-1280"];
    expect(await queues.albums.result(id)).toEqual({ status: "ok", value: files });
    expect(scaled.toSorted()).toEqual([...files, "text-320", "text-1280"].toSorted());
  });
});
