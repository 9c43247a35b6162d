// - a picture is worked at in the main loop ... "turns pictures to grey in threads, while the main loop goes on"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { greyPictures, pictureQueue } from "./image-threads.ts";

describe.each(backends("standalone", "embedded"))("cookbook: images in threads [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it("turns pictures to grey in threads, while the main loop goes on", async () => {
    const pictures = pictureQueue(hf);
    await using worker = greyPictures(pictures);
    const rgba = [255, 255, 255, 255, 255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 255];
    const jobs = await pictures.addMany(
      Array.from({ length: 6 }, () => ({ width: 2, rgba })),
      { result: true },
    );
    const results = await Promise.all(jobs.map((job) => job.result()));
    expect(results).toEqual(jobs.map(() => ({ status: "ok", value: [255, 76, 0, 29] })));
    expect(worker.stats()).toMatchObject({ completed: 6, lost: 0 });
  });
});
