// - a process dies between two steps, and money is lost or made ... "conserves the money, whichever step a process dies in"
// - or at a moment that nobody thought of ........................... "conserves the money of processes that are killed at random"
// - a transfer that is repeated moves the money twice ............... both, which repeat each transfer
// - an account is overdrawn, or the money goes to nobody ............ "refuses what is not there, and returns what nobody takes"
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, FinalError, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { endOf, Mortals } from "../../../packages/holdfast/test/support/mortal.ts";
import { Bank, partitionOf, type Transfer } from "./transfer.ts";

const ACCOUNTS = ["ada", "bob", "cleo", "dan"];
const EACH = 1_000;

async function total(bank: Bank): Promise<number> {
  const balances = await Promise.all(ACCOUNTS.map((account) => bank.balance(account)));
  return balances.reduce<number>((sum, cents) => sum + cents!, 0);
}

async function opened(hf: Holdfast): Promise<Bank> {
  const bank = new Bank(hf);
  for (const account of ACCOUNTS) await bank.open(account, EACH);
  return bank;
}

describe.each(backends("standalone", "cluster", "embedded"))("cookbook: transfer [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let bank: Bank;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
    bank = await opened(hf);
  });
  afterAll(() => hf.close());

  it("moves money once, however often it is asked", async () => {
    const order = { from: "ada", to: "bob", cents: 300 };
    await Promise.all(Array.from({ length: 5 }, () => bank.transfer("t1", order)));
    expect(await bank.balance("ada")).toBe(EACH - 300);
    await Promise.all([bank.settle(), bank.settle()]);
    await bank.transfer("t1", order);
    await bank.settle();
    expect([await bank.balance("ada"), await bank.balance("bob")]).toEqual([EACH - 300, EACH + 300]);
    await expect(bank.transfer("t1", { ...order, cents: 1 })).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("refuses what is not there, and returns what nobody takes", async () => {
    const before = await total(bank);
    await expect(bank.transfer("t2", { from: "cleo", to: "bob", cents: EACH + 1 })).rejects.toThrow(FinalError);
    await bank.transfer("t3", { from: "cleo", to: "nobody", cents: 5 });
    expect(await total(bank)).toBe(before - 5);
    await Promise.all([bank.settle(), bank.settle()]);
    expect(await bank.balance("cleo")).toBe(EACH);
    await bank.open("nobody", 0);
    await bank.settle();
    expect(await bank.balance("nobody")).toBe(0);
  });
});

describe.each(backends("cluster"))("cookbook: transfer under kill -9 [$name]", ({ url, options }) => {
  let mortals: Mortals;
  beforeAll(async () => {
    mortals = await Mortals.of(new URL("mortal.child.ts", import.meta.url));
  });
  afterAll(() => mortals[Symbol.asyncDispose]());

  // The key's beginning, the debit, the key's end; then the look at the outboxes, the credit, and the removal of the entry.
  const STEPS: readonly [part: string, word: string, count: number][] = [
    ["transfer", "idempotency:transfers", 1],
    ["transfer", "DECRBY", 1],
    ["transfer", "idempotency:transfers", 2],
    ["settle", "HVALS", 1],
    ["settle", "INCRBY", 1],
    ["settle", "HDEL", 1],
  ];

  it("conserves the money, whichever step a process dies in", { timeout: 300_000 }, async () => {
    const dying = STEPS.map(async ([part, word, count]) => {
      const prefix = `cook-${randomUUID()}`;
      await using hf = await connect(url, { ...options, prefix });
      const slots = ACCOUNTS.map((account) => hf.driver.slotOf(hf.key(`bank-${partitionOf(account)}`, "outbox")));
      expect(new Set(slots).size).toBe(ACCOUNTS.length);
      const bank = await opened(hf);
      const order = { from: "ada", to: "bob", cents: 100 };
      if (part === "settle") await bank.transfer("t", order);
      const child = mortals.start(part, word, String(count), url, prefix, JSON.stringify([["t", order]]));
      const end = await endOf(child);
      // Another process repeats the transfer, as its caller does, and settles.
      await bank.transfer("t", order);
      await bank.settle();
      const found = { part, word, count, end, ada: await bank.balance("ada"), bob: await bank.balance("bob") };
      expect(found).toEqual({ part, word, count, end: "SIGKILL", ada: EACH - 100, bob: EACH + 100 });
    });
    await Promise.all(dying);
  });

  it("conserves the money of processes that are killed at random", { timeout: 300_000 }, async () => {
    const prefix = `cook-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const bank = await opened(hf);
    const orders = Array.from({ length: 30 }, (_, at): [string, Transfer] => {
      const [from, to] = [ACCOUNTS[at % 4]!, ACCOUNTS[(at + 1 + (at % 3)) % 4]!];
      return [`r${at}`, { from, to, cents: 1 + (at % 7) }];
    });
    // Three at a time on the same transfers; each is killed after some of them.
    const deaths = [3, 8, 13].map(async (most, at) => {
      const child = mortals.start("both", "", "0", url, prefix, JSON.stringify(orders));
      let done = 0;
      child.on("message", () => {
        done += 1;
        if (done === most) setTimeout(() => child.kill("SIGKILL"), at * 2);
      });
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      return child.signalCode;
    });
    expect(await Promise.all(deaths)).toEqual(["SIGKILL", "SIGKILL", "SIGKILL"]);
    for (const [id, order] of orders) await bank.transfer(id, order);
    await bank.settle();
    expect(await total(bank)).toBe(ACCOUNTS.length * EACH);
    const moved = Object.fromEntries(ACCOUNTS.map((account) => [account, EACH]));
    for (const [, { from, to, cents }] of orders) {
      moved[from]! -= cents;
      moved[to]! += cents;
    }
    for (const account of ACCOUNTS) expect(await bank.balance(account)).toBe(moved[account]);
  });
});
