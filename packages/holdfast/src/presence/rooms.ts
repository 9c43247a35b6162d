/** What the instances of one handle share for each room: its members, kept by one heartbeat, and the picture of those who watch. */
import type { Core } from "../core/core.ts";
import { Attendance } from "./attendance.ts";
import { Picture } from "./picture.ts";
import type { PresenceStore } from "./store.ts";

export class PresenceRooms {
  readonly #core: Core;
  readonly #attendances = new Map<string, Attendance>();
  readonly #pictures = new Map<string, Picture>();

  constructor(core: Core) {
    this.#core = core;
    core.own(this);
  }

  /** Instances with the same times and bounds have the same. */
  attendance(store: PresenceStore<never>): Attendance {
    const { ttlMs, graceMs, maxMembers, maxDevices, timeoutMs } = store.settings;
    const name = JSON.stringify([store.room, ttlMs, graceMs, maxMembers, maxDevices, timeoutMs]);
    let attendance = this.#attendances.get(name);
    if (attendance === undefined) {
      attendance = new Attendance(this.#core, store, () => this.#attendances.delete(name));
      this.#attendances.set(name, attendance);
    }
    return attendance;
  }

  picture(store: PresenceStore<never>): Picture {
    const name = JSON.stringify([store.room, store.settings.timeoutMs]);
    let picture = this.#pictures.get(name);
    if (picture === undefined) {
      picture = new Picture(this.#core, store, () => this.#pictures.delete(name));
      this.#pictures.set(name, picture);
    }
    return picture;
  }

  async close(): Promise<void> {
    const all = [...this.#attendances.values(), ...this.#pictures.values()];
    await Promise.all(all.map((each) => each.close()));
  }
}
