/**
 * Fan-out and fan-in: an album's pictures are fetched once and scaled in parallel, by as many processes as there are, and the album is published
 * when all of them are done, with those left out that could not be read.
 */
import { Discard, type Holdfast, type Queue, type QueueWorker } from "holdfast";

export interface Album {
  readonly title: string;
}

export interface Scaling {
  readonly url: string;
  readonly width: number;
}

export interface AlbumQueues {
  readonly albums: Queue<Album, string[]>;
  readonly pictures: Queue<Scaling, string>;
}

export function albumQueues(hf: Holdfast): AlbumQueues {
  return { albums: hf.queue<Album, string[]>("albums"), pictures: hf.queue<Scaling, string>("pictures") };
}

/** The whole flow in one step: nothing of it is lost if this process dies in the next moment. */
export async function publish(
  { albums, pictures }: AlbumQueues,
  title: string,
  urls: readonly string[],
): Promise<string> {
  const children = urls.flatMap((url) =>
    [320, 1280].map((width) => pictures.child({ url, width }, { onDead: "ignore", attempts: 3 })),
  );
  const { id } = await albums.add({ title }, { id: `album-${title}`, children, result: true });
  return id;
}

export function scalePictures(
  { pictures }: AlbumQueues,
  scale: (url: string, width: number) => Promise<string | undefined>,
): QueueWorker {
  return pictures.work(
    async ({ payload: { url, width } }) => {
      const file = await scale(url, width);
      if (file === undefined) throw new Discard("this is no picture");
      return file;
    },
    { concurrency: 4 },
  );
}

export function publishAlbums({ albums }: AlbumQueues): QueueWorker {
  return albums.work(async (job) => {
    const files = await job.children();
    return files.flatMap((file) => (file.status === "ok" ? [String(file.value)] : []));
  });
}
