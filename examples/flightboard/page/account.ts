/** Sign-in (pick a name), and what a signed-in visitor may do: change the speed and star airports. */
import { ask } from "./api.ts";
import { byId, h, replaceKeepingFocus } from "./dom.ts";
import type { Account, Snapshot } from "./types.ts";

const SPEEDS: readonly (readonly [speed: number, label: string])[] = [
  [0, "❚❚"],
  [10, "10"],
  [60, "60"],
  [300, "300"],
  [2_000, "2k"],
];

export class Visitor {
  readonly #changed: () => void;
  readonly #announce: (text: string) => void;
  readonly #speeds: SpeedControl;
  #account: Account = { user: null };

  constructor(changed: () => void, announce: (text: string) => void) {
    this.#changed = changed;
    this.#announce = announce;
    this.#speeds = createSpeeds(announce);
    void this.#refresh();
  }

  /** Starred airports; undefined while nobody is signed in. */
  get watching(): readonly string[] | undefined {
    return this.#account.user === null ? undefined : (this.#account.watching ?? []);
  }

  /** Stars an airport, or takes its star away. */
  async watch(code: string): Promise<void> {
    const before = this.#account.watching ?? [];
    const watching = before.includes(code) ? before.filter((other) => other !== code) : [...before, code];
    const { ok, title } = await ask("/api/session/watching", "PUT", { watching });
    if (!ok) this.#announce(title);
    await this.#refresh();
  }

  showSpeed(speed: Snapshot["speed"]): void {
    this.#speeds.show(speed);
  }

  async #refresh(): Promise<void> {
    const { body } = await ask<Account>("/api/session");
    if (body !== undefined && "user" in body) this.#account = body;
    const { user, users } = this.#account;
    this.#speeds.enable(user !== null);
    replaceKeepingFocus(byId("account"), user === null ? this.#signedOut(users ?? []) : this.#signedIn(this.#account));
    this.#changed();
  }

  #signedOut(users: readonly string[]): Node[] {
    const names = users.map((user) => h("option", { value: user }, user));
    const choice = h("select", { id: "user", "aria-label": "Sign in as" }, ...names);
    const enter = (): void => void this.#enter(choice.value);
    return [choice, h("button", { type: "button", id: "sign-in", "data-key": "sign", onclick: enter }, "Sign in")];
  }

  #signedIn({ user, active = 1 }: Account): Node[] {
    const browsers = h("small", {}, active === 1 ? " 1 browser" : ` ${active} browsers`);
    const here = (): void => void this.#leave("/api/session");
    const everywhere = (): void => void this.#leave("/api/session/all");
    const nodes = [
      h("span", { class: "who" }, `${user}`, browsers),
      h("button", { type: "button", id: "sign-out", "data-key": "sign", class: "quiet", onclick: here }, "Sign out"),
    ];
    if (active > 1) nodes.push(h("button", { type: "button", class: "quiet", onclick: everywhere }, "everywhere"));
    return nodes;
  }

  async #enter(user: string): Promise<void> {
    const { ok, title } = await ask("/api/session", "POST", { user });
    this.#announce(ok ? `signed in as ${user}` : title);
    await this.#refresh();
  }

  async #leave(path: string): Promise<void> {
    await ask(path, "DELETE");
    this.#announce("signed out");
    await this.#refresh();
  }
}

interface SpeedControl {
  enable(on: boolean): void;
  show(speed: Snapshot["speed"]): void;
}

function createSpeeds(announce: (text: string) => void): SpeedControl {
  const field = byId("speeds") as HTMLFieldSetElement;
  const buttons = SPEEDS.map(([speed, label]) => {
    const set = async (): Promise<void> => {
      const { ok, title } = await ask("/api/control", "POST", { speed });
      announce(ok ? (speed === 0 ? "paused" : `speed: ${speed} simulated minutes per second`) : title);
    };
    const name = speed === 0 ? "Pause" : `${speed} simulated minutes per second`;
    return {
      speed,
      button: h("button", { type: "button", title: name, "aria-label": name, onclick: () => void set() }, label),
    };
  });
  field.append(...buttons.map(({ button }) => button), h("span", { class: "unit" }, "min/s"));
  return {
    enable(on) {
      field.disabled = !on;
      field.title = on ? "" : "Sign in to change the speed";
    },
    show(speed) {
      for (const each of buttons) each.button.setAttribute("aria-pressed", String(each.speed === speed));
    },
  };
}
