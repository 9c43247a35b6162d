/** Handlers as users give them: functions, or a module that is run in threads. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { QueueJob } from "../job.ts";
import { Dispatch } from "../names.ts";
import type { WorkSettings } from "../options.ts";
import { GRACE_MS } from "../run.ts";
import { ThreadPool } from "./pool.ts";

export interface Handler {
  readonly work: WorkSettings;
  readonly dispatch: Dispatch;
  /** Ends its threads. */
  readonly release: () => Promise<void>;
}

export function handlerOf(runtime: Runtime, given: unknown, work: WorkSettings): Handler {
  if (!(given instanceof URL)) {
    if (work.threads !== undefined)
      throw new InvalidArgumentError("threads", "the URL of a module beside it, as the handler", work.threads);
    return { work, dispatch: new Dispatch(given, work.aliases), release: () => Promise.resolve() };
  }
  if (given.protocol !== "file:" && given.protocol !== "data:")
    throw new InvalidArgumentError("handler", 'a file: URL, as `new URL("./resize.js", import.meta.url)` makes', given);
  const threads = work.threads ?? 1;
  const pool = new ThreadPool(runtime, given, threads, GRACE_MS);
  const dispatch = new Dispatch((job: QueueJob<unknown>) => pool.run(job), work.aliases);
  return { work: { ...work, concurrency: threads }, dispatch, release: () => pool.close() };
}
