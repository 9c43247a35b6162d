/** The browser's side: what is on the screen. It comes back by itself, so all that is left to do is to show what was missed. */
import { LiveClient, type LiveClientOptions } from "holdfast/live-client";
import type { Alert, Load } from "./live-dashboard.ts";

export class DashboardPage {
  readonly alerts: Alert[] = [];
  /** Percent by machine; empty until it is known again. */
  readonly loads = new Map<string, number>();
  /** How often alerts are missing: the page was away for longer than they are kept. */
  missed = 0;
  state: "connecting" | "open" | "signed out" = "connecting";
  readonly #client: LiveClient;

  /** @param changed called when there is something to draw */
  constructor(url: string, changed: () => void, options: LiveClientOptions = {}) {
    this.#client = new LiveClient(url, {
      ...options,
      onState: (state) => {
        this.state = state === "closed" ? "signed out" : state;
        changed();
      },
    });
    this.#client.subscribe<Alert>("alerts", {
      message: (alert) => {
        this.alerts.push(alert);
        changed();
      },
      gap: () => {
        this.missed += 1;
        changed();
      },
      // The server has lost them; what follows is all that it has.
      reset: () => {
        this.alerts.length = 0;
        changed();
      },
    });
    this.#client.subscribe<Load>("load", {
      message: ({ machine, percent }) => {
        this.loads.set(machine, percent);
        changed();
      },
      gap: () => {
        this.loads.clear();
        changed();
      },
    });
  }

  close(): void {
    this.#client.close();
  }
}
