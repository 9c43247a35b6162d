/**
 * Carts that are merged at sign-in, with the stock reserved for as long as somebody is likely to come back: nothing is sold twice, what is
 * abandoned is free again by itself, and a sign-in that is repeated merges once, whichever process dies when. `docs/carts.md` explains it.
 */
import type { Holdfast, Records } from "holdfast";

export interface Cart {
  readonly items: Readonly<Record<string, number>>;
  /** Carts of guests that are in this one already. */
  readonly merged: readonly string[];
}

interface Hold {
  readonly quantity: number;
  readonly until: number;
}

interface Stock {
  readonly onHand: number;
  /** By cart. */
  readonly holds: Readonly<Record<string, Hold>>;
}

/** How many of what is in both carts are wanted. */
export type Combine = (guest: number, own: number) => number;

const EMPTY: Cart = { items: {}, merged: [] };
const HOLD_MS = 15 * 60_000;
const MAX_QUANTITY = 20;
const MAX_LINES = 100;
const KEPT_MERGES = 10;

export class Carts {
  readonly #hf: Holdfast;
  readonly #carts: Records<Cart>;
  readonly #stock: Records<Stock>;

  constructor(hf: Holdfast) {
    this.#hf = hf;
    this.#carts = hf.records<Cart>("carts", { ttl: "30d" });
    this.#stock = hf.records<Stock>("stock", { ttl: "365d" });
  }

  async supply(product: string, quantity: number): Promise<void> {
    const add = (stock: Stock): Stock => ({ ...stock, onHand: stock.onHand + quantity });
    await this.#stock.update(product, add, { initial: { onHand: 0, holds: {} } });
  }

  async get(cart: string): Promise<Cart> {
    return (await this.#carts.get(cart))?.value ?? EMPTY;
  }

  /** Sets how many there are in the cart, and holds them; false where there are not so many, or where they are too many, or lines. */
  async put(cart: string, product: string, quantity: number): Promise<boolean> {
    if (!Number.isInteger(quantity) || quantity < 0 || quantity > MAX_QUANTITY) return false;
    if (!(await this.#hold(product, cart, quantity))) return false;
    const change = ({ items, merged }: Cart): Cart => ({ items: withLine(items, product, quantity), merged });
    const result = await this.#carts.update(cart, change, { initial: EMPTY });
    if (result.status === "ok" && (result.value.items[product] ?? 0) === quantity) return true;
    await this.#hold(product, cart, 0);
    return false;
  }

  /** At sign-in. Of what is short by then there are as many as there are. */
  async signIn(guest: string, user: string, combine: Combine = (a, b) => a + b): Promise<Cart> {
    const { items } = await this.get(guest);
    const result = await this.#carts.update(
      user,
      (own) => {
        if (own.merged.includes(guest)) return own;
        const both = Object.entries(items).reduce<Cart["items"]>((all, [product, quantity]) => {
          const wanted = Math.min(MAX_QUANTITY, combine(quantity, all[product] ?? 0));
          return withLine(all, product, wanted);
        }, own.items);
        return { items: both, merged: [guest, ...own.merged].slice(0, KEPT_MERGES) };
      },
      { initial: EMPTY },
    );
    if (result.status !== "ok") throw new Error(`the cart of ${user} is changed too often`);
    for (const product of Object.keys(items)) {
      const wanted = result.value.items[product] ?? 0;
      // In one step with the guest's hold, so that nobody takes it in between.
      const held = await this.#holdMost(product, user, wanted, guest);
      if (held < wanted) await this.#carts.merge(user, { items: { [product]: held === 0 ? null : held } });
    }
    await this.#carts.delete(guest);
    return this.get(user);
  }

  /** What was held is sold; `false` where the holds have lapsed and somebody else has some of it. */
  async sell(cart: string, product: string): Promise<boolean> {
    const now = await this.#now();
    const quantity = (await this.get(cart)).items[product] ?? 0;
    let sold = false;
    await this.#stock.update(product, (stock) => {
      sold = free(stock, now, cart) >= quantity;
      return sold ? { onHand: stock.onHand - quantity, holds: without(stock.holds, now, cart) } : stock;
    });
    if (sold) await this.#carts.merge(cart, { items: { [product]: null } });
    return sold;
  }

  async available(product: string): Promise<number> {
    const stock = await this.#stock.get(product);
    return stock === undefined ? 0 : free(stock.value, await this.#now());
  }

  async #hold(product: string, cart: string, quantity: number): Promise<boolean> {
    return (await this.#holdMost(product, cart, quantity, cart, quantity)) === quantity;
  }

  /** Holds as many as there are, if at least `least`, in place of what `before` held. */
  async #holdMost(product: string, cart: string, quantity: number, before: string, least = 0): Promise<number> {
    const now = await this.#now();
    let held = 0;
    await this.#stock.update(product, (stock) => {
      const holds = without(without(stock.holds, now, before), now, cart);
      held = Math.min(quantity, free({ ...stock, holds }, now));
      if (held < least) return stock;
      return { ...stock, holds: held === 0 ? holds : { ...holds, [cart]: { quantity: held, until: now + HOLD_MS } } };
    });
    return held;
  }

  /** The server's, which all processes share. */
  async #now(): Promise<number> {
    const [seconds] = (await this.#hf.command("TIME")) as Buffer[];
    return Number(seconds) * 1_000;
  }
}

function withLine(items: Cart["items"], product: string, quantity: number): Cart["items"] {
  const { [product]: _before, ...others } = items;
  return quantity === 0 || Object.keys(others).length >= MAX_LINES ? others : { ...others, [product]: quantity };
}

/** Those that have not lapsed, of all carts but this one. */
function without(holds: Stock["holds"], now: number, cart: string): Stock["holds"] {
  return Object.fromEntries(Object.entries(holds).filter(([of, { until }]) => of !== cart && until > now));
}

function free({ onHand, holds }: Stock, now: number, except = ""): number {
  const held = Object.values(without(holds, now, except)).reduce((sum, { quantity }) => sum + quantity, 0);
  return Math.max(0, onHand - held);
}
