/**
 * Settings: asked a thousand times per request at no cost, changed for the whole fleet within milliseconds. While the server
 * is away every process goes on with the settings that it knows, and can say that they may be old.
 */
import type { Holdfast, Value } from "holdfast";

export interface Settings {
  readonly readOnly: boolean;
  readonly pageSize: number;
}

export function settingsValue(hf: Holdfast): Value<Settings> {
  return hf.value<Settings>("settings", { initial: { readOnly: false, pageSize: 0 } });
}

/** At the start of a process: resolves once the settings are known, or that they cannot be. */
export class LiveSettings implements AsyncDisposable {
  #settings!: Settings;
  #stale = true;
  readonly #stop = new AbortController();
  #ended!: Promise<void>;
  readonly #ready: Promise<void>;

  private constructor(value: Value<Settings>) {
    this.#ready = new Promise((resolve) => {
      this.#ended = this.#follow(value, resolve);
    });
  }

  static async start(value: Value<Settings>): Promise<LiveSettings> {
    const settings = new LiveSettings(value);
    await Promise.race([settings.#ready, settings.#ended]);
    return settings;
  }

  get<Name extends keyof Settings>(name: Name): Settings[Name] {
    return this.#settings[name];
  }

  /** For a health check: whether somebody may have changed a flag of which this process does not know. */
  get stale(): boolean {
    return this.#stale;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #follow(value: Value<Settings>, ready: () => void): Promise<void> {
    for await (const state of value.watch({ signal: this.#stop.signal })) {
      // With an initial value there always is one.
      this.#settings = state.value!;
      this.#stale = state.stale;
      ready();
    }
  }
}

/** For the administration: two who change different settings at one time do not undo each other. */
export async function setSetting<Name extends keyof Settings>(
  value: Value<Settings>,
  name: Name,
  to: Settings[Name],
): Promise<void> {
  const result = await value.update((settings) => ({ ...settings, [name]: to }));
  if (result.status !== "ok") throw new Error(`${name} was not changed, too many others change settings: try again`);
}
