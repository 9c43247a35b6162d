/**
 * Work on images that takes the processor, in threads: the loop of the process stays free, so its leases are renewed and its other work goes
 * on, however long a picture takes. A picture that takes too long is called off, and its thread is replaced if it does not stop.
 */
import type { Holdfast, Queue, QueueWorker } from "holdfast";

export interface Picture {
  readonly width: number;
  /** Red, green, blue and opacity of each pixel, 0 to 255. */
  readonly rgba: readonly number[];
}

export function pictureQueue(hf: Holdfast): Queue<Picture, number[]> {
  return hf.queue<Picture, number[]>("pictures", { attempts: 3, runTimeout: "1m" });
}

export function greyPictures(pictures: Queue<Picture, number[]>): QueueWorker {
  return pictures.work(new URL("./greyscale.mjs", import.meta.url), { threads: 2 });
}
