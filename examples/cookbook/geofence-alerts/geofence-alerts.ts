/**
 * Alerts of a fleet: when a truck enters a zone, stays too long or leaves it, somebody is told once, though positions come to several processes,
 * late and out of order, and though trucks stand on the border. The board of the control room shows the same at once.
 */
import type { GeofenceSubscription, GeofenceTransition, GeoPoint, Holdfast, QueueWorker } from "holdfast";

export interface Position extends GeoPoint {
  readonly truck: string;
  /** By the truck's clock, in milliseconds. */
  readonly at: number;
}

export interface Alert {
  readonly truck: string;
  readonly zone: string;
  readonly kind: GeofenceTransition["kind"];
}

export class GeofenceAlerts {
  readonly #zones;
  readonly #alerts;

  constructor(hf: Holdfast, dwell: `${number}m` | `${number}ms` = "15m") {
    this.#zones = hf.geofence("zones", { margin: 30, dwell, live: true });
    this.#alerts = hf.queue<Alert>("geofence-alerts");
  }

  async draw(zone: string, polygon: GeoPoint[]): Promise<void> {
    const result = await this.#zones.set(zone, { polygon });
    if (result.status === "limit") throw new Error(`no room for the zone ${zone}`);
  }

  /** What each process does with the positions that reach it; one that is older than the last of its truck changes nothing. */
  async moved({ truck, at, ...point }: Position): Promise<void> {
    const result = await this.#zones.track(truck, point, { at });
    if (result.status !== "ok") return;
    for (const { fence, kind, at: found, number } of result.transitions)
      await this.#alerts.add({ truck, zone: fence, kind }, { id: `${truck}:${found}:${number}` });
  }

  /** Sends alerts, again until they are accepted. */
  send(deliver: (alert: Alert) => Promise<void>): QueueWorker {
    return this.#alerts.work((job) => deliver(job.payload));
  }

  /** For the control room: what happens while it looks. */
  watch(show: (transition: GeofenceTransition) => void): Promise<GeofenceSubscription> {
    return this.#zones.subscribe(show);
  }

  /** Zones that a truck is in now. */
  async zonesOf(truck: string): Promise<string[]> {
    return (await this.#zones.inside(truck)).map(({ fence }) => fence);
  }
}
