/** Finding out that nobody is at the other end any more. */
import type { Timer } from "../../base/runtime.ts";
import type { Life } from "./life.ts";
import type { Settings } from "./options.ts";
import type { RawClient } from "./raw-client.ts";

class HalfOpenError extends Error {
  override readonly name: string = "HalfOpenError";
  constructor(ms: number) {
    super(`the server has not answered a PING for ${ms} ms`);
  }
}

/**
 * Pings until the connection ends. An idle timeout of the socket would not do: our own writes count as activity, so
 * that a busy connection to a stopped server would never be found out.
 */
export function watch(client: RawClient, life: Life, settings: Settings): void {
  const { runtime } = settings;
  let timer: Timer;
  const ping = (): void => {
    let answered = false;
    const settle = (): void => {
      answered = true;
      runtime.clearTimeout(timer);
      if (!life.over) timer = runtime.setTimeout(ping, settings.pingIntervalMs);
    };
    // After a long block of this process the answer may be waiting in the socket: it is read before setImmediate runs.
    const giveUp = (): void => {
      if (!answered) life.end(new HalfOpenError(settings.pingTimeoutMs));
    };
    timer = runtime.setTimeout(() => runtime.setImmediate(giveUp), settings.pingTimeoutMs);
    client.sendCommand(["PING"]).then(settle, settle);
  };
  timer = runtime.setTimeout(ping, settings.pingIntervalMs);
  void life.ended.then(() => runtime.clearTimeout(timer));
}
