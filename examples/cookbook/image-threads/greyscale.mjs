/**
 * Runs in a thread: turns RGBA pixels to grey. Stops between rows when its job is called off.
 * @type {import("holdfast").QueueThreadHandler<import("./image-threads.ts").Picture, number[]>}
 */
export default async function greyscale({ payload: { width, rgba }, signal }) {
  const grey = [];
  for (let row = 0; row < rgba.length; row += width * 4) {
    // Where the signal is heard of.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    for (let at = row; at < row + width * 4; at += 4)
      grey.push(Math.round(0.299 * rgba[at] + 0.587 * rgba[at + 1] + 0.114 * rgba[at + 2]));
  }
  return grey;
}
