/**
 * Feature flags: a checkout that is rolled out to more and more customers, with a switch that turns it off everywhere at once. Asked a thousand
 * times per request without asking the server; while the server is away every process goes on with the flags that it knows.
 */
import type { FlagContext, FlagDefinition, Flags, FlagsClient, Holdfast } from "holdfast";

export interface Customer {
  readonly id: string;
  readonly country: string;
  readonly email: string;
}

export function flagsOf(hf: Holdfast): Flags {
  return hf.flags("shop");
}

/** Staff always, then `percent` of the customers of these countries. */
function rollOut(percent: number, countries: readonly string[]): FlagDefinition<string> {
  return {
    description: "the checkout on one page",
    variants: { onePage: "one-page", classic: "classic" },
    default: "classic",
    rules: [
      { name: "staff", when: { email: { endsWith: "@shop.example" } }, serve: "onePage" },
      { name: "roll-out", when: { country: countries }, serve: { onePage: percent, classic: 100 - percent } },
    ],
  };
}

/** For the administration. Whoever had it keeps it when the share rises. */
export async function rollOutCheckout(flags: Flags, percent: number, by: string): Promise<void> {
  const before = await flags.get("checkout");
  const result = await flags.set("checkout", rollOut(percent, ["DE", "AT"]), {
    ifVersion: before?.version ?? 0,
    by,
    why: `${percent} per cent`,
  });
  if (result.status === "conflict") throw new Error("somebody else has changed the flag: look at it, and try again");
}

/** Something is wrong: nobody gets it, within milliseconds. */
export async function stopCheckout(flags: Flags, by: string, why: string): Promise<void> {
  const found = await flags.get("checkout");
  if (found !== undefined) await flags.set("checkout", { ...found.flag, enabled: false }, { by, why });
}

/** In a handler of a request. The fallback is what the code does without the flag. */
export function checkoutOf(live: FlagsClient, { id, country, email }: Customer): string {
  const context: FlagContext = { targetingKey: id, country, email };
  return live.value("checkout", "classic", context);
}
