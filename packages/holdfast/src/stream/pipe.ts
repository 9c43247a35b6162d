/** An async iterable written into a stream. */
import type { StreamStartResult, StreamWriter } from "./writer.ts";

export type StreamSource<T> =
  | AsyncIterable<T>
  | Iterable<T>
  | ((writer: StreamWriter<T>) => AsyncIterable<T> | Iterable<T>);

/** `busy` and `over`: the source was not asked. `full`: the stream was aborted at `maxBytes`. `stale`: another is the producer. */
export interface StreamPipeResult {
  readonly status: "ok" | "busy" | "over" | "full" | "stale";
}

export async function pipeInto<T>(
  start: () => Promise<StreamStartResult<T>>,
  source: StreamSource<T>,
): Promise<StreamPipeResult> {
  const started = await start();
  if (started.status !== "ok") return { status: started.status };
  const { writer } = started;
  try {
    for await (const chunk of typeof source === "function" ? source(writer) : source) {
      const { status } = await writer.write(chunk);
      if (status === "ok") continue;
      if (status === "full") await writer.abort("it is longer than it may be");
      return { status };
    }
    return await writer.end();
  } catch (error) {
    await writer.abort("its source failed").catch(() => undefined);
    throw error;
  } finally {
    await writer.close();
  }
}
