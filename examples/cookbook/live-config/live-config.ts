/**
 * Configuration that changes while everything runs: each process has all of it in memory, asks it at no cost, and hears of a change within milliseconds.
 * A process that starts has what there is before it serves anybody. Two people who change the same setting at once do not overwrite each other.
 *
 * While the server is away each process goes on with what it has, and catches up afterwards.
 */
import type { Holdfast, LatestTopic } from "holdfast";

export type Setting = string | number | boolean;

export class LiveConfig implements AsyncDisposable {
  readonly #topic: LatestTopic<Setting>;
  readonly #settings = new Map<string, Setting>();
  readonly #onChange: (name: string) => void;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  readonly #ready: Promise<void>;

  /** @param onChange told of each setting that was changed or removed after this process had all of them */
  constructor(hf: Holdfast, onChange: (name: string) => void = () => undefined) {
    this.#topic = hf.topic<Setting>("config", { latest: true, maxKeys: 10_000 });
    this.#onChange = onChange;
    let following: Promise<void>;
    this.#ready = new Promise((resolve, reject) => {
      following = this.#follow(resolve);
      following.catch(reject);
    });
    this.#ready.catch(() => undefined);
    this.#following = following!;
  }

  /** Resolves when this process has all settings. */
  ready(): Promise<void> {
    return this.#ready;
  }

  get(name: string): Setting | undefined {
    return this.#settings.get(name);
  }

  /** Changes a setting by what it is now: again where somebody else was faster. Undefined removes it. */
  async change(name: string, next: (current: Setting | undefined) => Setting | undefined): Promise<void> {
    for (;;) {
      const current = await this.#topic.get(name);
      const value = next(current?.payload);
      const only = current === undefined ? { ifNew: true } : { ifPosition: current.position };
      if (value === undefined && current === undefined) return;
      const { status } =
        value === undefined
          ? await this.#topic.delete(name, { ifPosition: current!.position })
          : await this.#topic.set(name, value, only);
      if (status === "full") throw new Error(`there are too many settings for ${name}`);
      if (status !== "conflict") return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following.catch(() => undefined);
  }

  async #follow(ready: () => void): Promise<void> {
    let [isLive, known] = [false, new Set<string>()];
    for await (const change of this.#topic.follow({ signal: this.#stop.signal })) {
      if (change.type === "reset") {
        // What comes next is all there is. Until then the old settings are better than none.
        isLive = false;
        known = new Set();
      } else if (change.type === "live") {
        for (const name of this.#settings.keys()) if (!known.has(name)) this.#settings.delete(name);
        isLive = true;
        ready();
      } else {
        if (change.type === "set") this.#settings.set(change.key, change.value);
        else this.#settings.delete(change.key);
        if (isLive) this.#onChange(change.key);
        else known.add(change.key);
      }
    }
  }
}
