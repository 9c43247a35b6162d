/**
 * Money between accounts that are in different slots of a cluster, which no transaction covers. The debit and an entry in the outbox of its slot
 * are one transaction; whoever looks at that outbox credits the other account, in a transaction of that slot which knows the entry by its id, and
 * removes the entry. Each step can be done again, so any process may die at any moment: the money is in an account or in one outbox.
 */
import { createHash } from "node:crypto";
import { FinalError, type Holdfast, type Idempotency, OutcomeUnknownError, type TransactionBody } from "holdfast";

export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

interface Entry extends Transfer {
  readonly id: string;
}

export type Receipt = { readonly status: "sent" };

/** Accounts share slots: few enough outboxes to look at all of them. Never changed once there are accounts. */
const PARTITIONS = 16;
/** Longer than anybody repeats a transfer, and than an entry can lie in an outbox. */
const KEEP_S = 30 * 86_400;

export class Bank {
  readonly #hf: Holdfast;
  readonly #transfers: Idempotency<Receipt>;

  constructor(hf: Holdfast) {
    this.#hf = hf;
    this.#transfers = hf.idempotency<Receipt>("transfers", { ttl: "30d", lease: "2s" });
  }

  async open(account: string, cents: number): Promise<void> {
    await this.#hf.command("SET", this.#balance(account), String(cents), "NX");
  }

  async balance(account: string): Promise<number | undefined> {
    const key = this.#balance(account);
    return this.#commit([key], (tx) => tx.getNumber(key));
  }

  /** Takes the money from the one, for good; the other has it after the next `settle`. Repeat it with the same id until it answers. */
  async transfer(id: string, order: Transfer): Promise<Receipt> {
    const { value } = await this.#transfers.run(id, () => this.#debit(id, order), {
      fingerprint: JSON.stringify(order),
    });
    return value;
  }

  /** Delivers what lies in the outboxes; in as many processes as you like, every second or so. */
  async settle(): Promise<void> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => this.#deliverAll(partition));
    await Promise.all(partitions);
  }

  async #debit(id: string, { from, to, cents }: Transfer): Promise<Receipt> {
    const partition = partitionOf(from);
    const [balance, sent, outbox] = [
      this.#balance(from),
      this.#key(partition, `sent:${id}`),
      this.#key(partition, "outbox"),
    ];
    return this.#commit([balance, sent], async (tx) => {
      // By a run of this transfer that died before it could say so.
      if (await tx.exists(sent)) return { status: "sent" };
      const has = (await tx.getNumber(balance)) ?? 0;
      if (has < cents) throw new FinalError("the account has too little", { code: "insufficient_funds" });
      tx.queue("DECRBY", balance, cents);
      tx.queue("HSET", outbox, id, JSON.stringify({ id, from, to, cents }));
      tx.queue("SET", sent, "1", "EX", KEEP_S);
      return { status: "sent" };
    });
  }

  async #deliverAll(partition: number): Promise<void> {
    const entries = (await this.#hf.command("HVALS", this.#key(partition, "outbox"))) as Buffer[];
    for (const entry of entries) await this.#deliver(partition, JSON.parse(entry.toString()) as Entry);
  }

  async #deliver(partition: number, { id, from, to, cents }: Entry): Promise<void> {
    const [balance, applied] = [this.#balance(to), this.#key(partitionOf(to), `applied:${id}`)];
    const decision = await this.#commit([balance, applied], async (tx) => {
      const known = await tx.get(applied);
      if (known !== undefined) return known;
      const isOpen = await tx.exists(balance);
      if (isOpen) tx.queue("INCRBY", balance, cents);
      // Also a refusal is final: a relay that is late credits nobody who opened the account since.
      tx.queue("SET", applied, isOpen ? "credited" : "refused", "EX", KEEP_S);
      return isOpen ? "credited" : "refused";
    });
    const outbox = this.#key(partition, "outbox");
    await this.#commit([outbox], async (tx) => {
      if ((await tx.hget(outbox, id)) === undefined) return;
      if (decision === "refused") tx.queue("INCRBY", this.#balance(from), cents);
      tx.queue("HDEL", outbox, id);
    });
  }

  /** Each of these transactions knows what it has done, so one whose answer was lost is done again. */
  async #commit<T>(keys: readonly string[], body: TransactionBody<T>): Promise<T> {
    for (;;) {
      try {
        const result = await this.#hf.transaction(keys, body, { attempts: 1_000 });
        if (result.status === "ok") return result.value;
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError)) throw error;
      }
    }
  }

  #balance(account: string): string {
    return this.#key(partitionOf(account), `balance:${account}`);
  }

  /** All keys of a partition are in the same slot. */
  #key(partition: number, name: string): string {
    return this.#hf.key(`bank-${partition}`, name);
  }
}

export function partitionOf(account: string): number {
  return createHash("sha256").update(account).digest()[0]! % PARTITIONS;
}
