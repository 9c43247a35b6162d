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
 * Pings until the connection ends, but not while it is known that nothing can be lost. An idle timeout of the socket would
 * not do: our own writes count as activity, so that a busy connection to a stopped server would never be found out.
 */
export function watch(client: RawClient, life: Life, settings: Settings): void {
  const { runtime, silences } = settings;
  let timer: Timer | undefined;
  let forget: (() => void) | undefined;
  const wait = (): void => {
    if (life.over) return;
    if (silences?.arePossible === false) forget = silences.whenPossible(wait);
    else timer = runtime.setTimeout(ping, settings.pingIntervalMs);
  };
  const ping = (): void => {
    let answered = false;
    const settle = (): void => {
      answered = true;
      runtime.clearTimeout(timer);
      wait();
    };
    // After a long block of this process the answer may be waiting in the socket: it is read before setImmediate runs.
    const giveUp = (): void => {
      if (!answered) life.end(new HalfOpenError(settings.pingTimeoutMs));
    };
    timer = runtime.setTimeout(() => runtime.setImmediate(giveUp), settings.pingTimeoutMs);
    client.sendCommand(["PING"]).then(settle, settle);
  };
  wait();
  const stop = (): void => {
    runtime.clearTimeout(timer);
    forget?.();
  };
  void life.ended.then(stop);
}
