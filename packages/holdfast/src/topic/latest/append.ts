/** What publishes in a topic that keeps the newest message of each key. */
import type { Driver } from "../../driver/port.ts";
import type { LogAppend, LogRetention } from "../../core/log/appender.ts";
import type { LogMessage } from "../../core/log/frame.ts";
import type { LogKeys } from "../../core/log/keys.ts";
import { runScript } from "../../core/script/run.ts";
import { latestKeys } from "../keys.ts";
import { TOMBSTONE } from "../message.ts";
import type { LatestSettings } from "../options.ts";
import { latestAppend } from "../scripts.gen.ts";

export function appendLatest(
  driver: Driver,
  log: LogKeys,
  { maxKeys, expiresMs }: LatestSettings,
  { onFull }: LogRetention,
): LogAppend {
  const keys = { log: log.log, meta: log.meta, live: log.live, cursors: log.cursors, ...latestKeys(log) };
  const waits = onFull === "wait";
  return (sent, ids, { frames, ...args }, call) => {
    const messages = sent.flatMap((message, at) => [message.key!, whatOf(message), frames[at]!]);
    return runScript(driver, latestAppend, { ...keys, ids }, { ...args, maxKeys, expiresMs, waits, messages }, call);
  };
}

function whatOf({ mark, id, expected }: LogMessage): string {
  const kind = mark === TOMBSTONE ? "d" : "s";
  return `${kind}${id === undefined ? "" : "i"}${expected === undefined ? "" : `=${expected}`}`;
}
