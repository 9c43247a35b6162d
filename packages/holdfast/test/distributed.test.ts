/**
 * The examples of docs/distributed-transactions.md.
 * What could go wrong, and the test for each:
 * - a part of a transaction is seen, or done twice ... "in the same slot"
 * - a late holder writes ............................. "several locks with fences"
 * - two callers wait for each other .................. the same
 * - an entry is applied twice, or lost ............... "an outbox"
 * - what was done is not undone ...................... "a saga"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { FinalError, type Holdfast } from "../src/index.ts";
import { backends } from "./support/backends.ts";
import { randomName, TwoHandles } from "./support/two-handles.ts";

describe.each(backends("standalone", "cluster", "embedded"))("distributed transactions [$name]", (backend) => {
  const two = new TwoHandles(backend);
  let hf: Holdfast;
  beforeAll(() => {
    hf = two.a;
  });

  it("in the same slot: a seat is booked once, and counted", async () => {
    const flight = `flight:${randomName()}`;
    const [seat, count] = [hf.key(flight, "seat:12A"), hf.key(flight, "free")];
    await hf.command("SET", count, "10");
    const book = async (by: Holdfast, passenger: string): Promise<unknown> => {
      const result = await by.transaction([seat, count], async (tx) => {
        if (await tx.exists(seat)) return "taken";
        tx.queue("SET", seat, passenger);
        tx.queue("DECR", count);
        return "booked";
      });
      return result.status === "ok" ? result.value : result.status;
    };
    const results = await Promise.all([book(two.a, "ada"), book(two.b, "bob"), book(two.a, "cleo")]);
    expect(results.toSorted()).toEqual(["booked", "taken", "taken"]);
    expect(String(await hf.command("GET", count))).toBe("9");
  });

  it("several locks with fences: in one order, and a late holder is refused", async () => {
    const [ada, bob] = [randomName(), randomName()];
    const accounts = hf.fenced<number>("accounts");
    const move = async (by: Holdfast, cents: number): Promise<readonly [number, number]> => {
      await using held = await by.lock([`account:${bob}`, `account:${ada}`]).acquire({ wait: "10s" });
      const [a, b] = [ada, bob].map((name) => held.fences.get(`account:${name}`)!) as [number, number];
      const [left, right] = await Promise.all([accounts.get(ada), accounts.get(bob)]);
      held.signal.throwIfAborted();
      await accounts.set(ada, (left?.value ?? 100) - cents, a);
      await accounts.set(bob, (right?.value ?? 100) + cents, b);
      return [a, b];
    };
    const [first] = await Promise.all([move(two.a, 20), move(two.b, 10)]);
    expect([(await accounts.get(ada))?.value, (await accounts.get(bob))?.value]).toEqual([70, 130]);
    await move(two.b, 0);
    expect(await accounts.set(ada, 0, first[0])).toMatchObject({ status: "stale" });
    expect((await accounts.get(ada))?.value).toBe(70);
  });

  it("an outbox: each step again, and the money moves once", async () => {
    const [from, to] = [randomName(), randomName()];
    const [balance, sent, outbox] = ["balance", "sent:1", "outbox"].map((each) => hf.key(from, each)) as [
      string,
      string,
      string,
    ];
    const [credited, applied] = [hf.key(to, "balance"), hf.key(to, "applied:1")];
    await hf.command("SET", balance, "100");
    const debit = (cents: number): Promise<unknown> =>
      hf.transaction([balance, sent], async (tx) => {
        if (await tx.exists(sent)) return;
        if (((await tx.getNumber(balance)) ?? 0) < cents) throw new FinalError("the account has too little");
        tx.queue("DECRBY", balance, cents);
        tx.queue("HSET", outbox, "1", JSON.stringify({ id: "1", to, cents }));
        tx.queue("SET", sent, "1", "EX", 2_592_000);
      });
    const credit = (): Promise<unknown> =>
      hf.transaction([credited, applied], async (tx) => {
        if (await tx.exists(applied)) return;
        tx.queue("INCRBY", credited, 30);
        tx.queue("SET", applied, "1", "EX", 2_592_000);
      });
    await expect(debit(101)).rejects.toThrow(FinalError);
    for (const step of [() => debit(30), credit, () => hf.command("HDEL", outbox, "1")]) {
      await step();
      await step();
    }
    expect([String(await hf.command("GET", balance)), String(await hf.command("GET", credited))]).toEqual(["70", "30"]);
    expect(await hf.command("HLEN", outbox)).toBe(0);
  });

  it("a saga: what was done is undone in reverse where a later step cannot be", async () => {
    const log: string[] = [];
    const orders = hf.queue<string>(randomName(), { attempts: 2, backoff: { delay: 0 } });
    const hotel = {
      book: (key: string) => `${log.push(`room ${key}`)}`,
      cancel: () => void log.push("cancel room"),
    };
    const airline = {
      book: (): never => {
        log.push("no flight");
        throw new Error("full");
      },
    };
    await using _worker = orders.work(async (job) => {
      const room = await job.step("room", () => hotel.book(job.payload));
      await job.compensate("cancel room", () => hotel.cancel());
      const flight = await job.step("flight", () => airline.book());
      return { room, flight };
    });
    const order = await orders.add("ada", { result: true });
    expect(await order.result()).toEqual({ status: "dead", message: "full" });
    await expect.poll(() => log).toEqual(["room ada", "no flight", "no flight", "cancel room"]);
  });
});
