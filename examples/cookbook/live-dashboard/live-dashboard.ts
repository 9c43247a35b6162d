/**
 * A dashboard for any number of browsers. Alerts are kept: whoever opens it sees those of the day, then what comes, each once and in order, also
 * over reconnects and deployments. Loads are only shown: each machine reports its own every second, and one that is missed is soon followed
 * by the next. Both come by one connection, which any process of the fleet serves; `page.ts` is the browser's side.
 */
import type { Holdfast } from "holdfast";
import { type ExpressSse, sse, view } from "holdfast/express";

export interface Alert {
  readonly text: string;
}

export interface Load {
  readonly machine: string;
  readonly percent: number;
}

export interface Dashboard {
  /** `createServer(live)`, or Express's `app.all("/live", live)`; for WebSockets also `live.webSocket(server, { path: "/live", WebSocketServer })`. */
  readonly live: ExpressSse;
  /** Safe to send again with the same `id`: it is there once. */
  raise(id: string, alert: Alert): Promise<void>;
  report(load: Load): Promise<void>;
  /** Ends the user's connections in all processes. */
  signOut(user: string): Promise<void>;
}

/** @param userOf whose cookie this is; undefined where it is nobody's, or no longer */
export function dashboard(hf: Holdfast, userOf: (cookie: string) => Promise<string | undefined>): Dashboard {
  const alerts = hf.topic<Alert>("alerts", { keep: "1d" });
  const load = hf.channel<Load>("load");
  const live = sse(hf, {
    identify: async ({ headers }) => {
      const user = await userOf(headers.cookie ?? "");
      return user === undefined ? undefined : { user };
    },
    sources: { load, alerts: view(alerts, { from: "start" }) },
    retry: "200ms",
  });
  return {
    live,
    raise: async (id, alert) => void (await alerts.publish(alert, { id })),
    report: async (now) => void (await load.publish(now)),
    signOut: (user) => live.end({ user }),
  };
}
