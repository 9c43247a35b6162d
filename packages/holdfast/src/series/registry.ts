/** Which series there are, with their labels, and which of their periods are to be sealed: three keys, in one slot. */
import { orThrow } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import { decodeList, decodeRows, decodeText } from "../core/script/decode.ts";
import { decodedBy, runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Driver, Reply } from "../driver/port.ts";
import { due, register, type RegisterResult, settle } from "./scripts.gen.ts";
import { decodeBytes, type Place, type SeriesStore } from "./store.ts";

const SCAN_COUNT = "512";

export class SeriesRegistry {
  readonly #store: SeriesStore;
  readonly #driver: Driver;
  readonly #keys: { readonly ids: string; readonly labels: string; readonly unsealed: string };

  constructor(core: Core, store: SeriesStore) {
    this.#store = store;
    this.#driver = core.driver;
    const group = core.keys.group("series", store.name);
    this.#keys = {
      ids: group.part("ids"),
      labels: group.part("labels"),
      unsealed: group.part(`unsealed:${store.settings.periodMs}`),
    };
  }

  /** @param described the labels as text; empty: as they are */
  register({ id, period }: Place, sealAt: number, lateMs: number, described: string): Promise<RegisterResult> {
    const { maxSeries } = this.#store.settings;
    const expiresAt = this.#store.lastExpiresAt(period);
    const args = { id, period, expiresAt, sealAt, lateMs, maxSeries, described };
    return runScript(this.#driver, register, this.#keys, args, { ...this.#call("add"), key: id });
  }

  /** `<period>:<series>` of those that are due, for a time. */
  due(most: number, leaseMs: number): Promise<string[]> {
    return runScript(this.#driver, due, this.#keys, { most, leaseMs }, this.#call("seal"));
  }

  async settle(member: string): Promise<void> {
    await runScript(this.#driver, settle, this.#keys, { member }, this.#call("seal"));
  }

  /** Yields the series of which something is kept at `now` with their labels as text, in bounded steps; one may come twice. */
  async *described(now: number): AsyncGenerator<Map<string, string>> {
    const { ids, labels } = this.#keys;
    const call = { ...this.#call("find"), class: "read" } as const;
    let cursor = "0";
    do {
      const page = decodedBy(
        decodePage,
        await this.#driver.send(["ZSCAN", ids, cursor, "COUNT", SCAN_COUNT], call, ids),
        "ZSCAN",
        call,
      );
      cursor = page.cursor;
      const kept = page.series.filter(({ expiresAt }) => expiresAt > now).map(({ id }) => id);
      if (kept.length > 0) {
        const reply = await this.#driver.send(["HMGET", labels, ...kept], call, labels);
        const texts = decodedBy(decodeBytes, reply, "HMGET", call);
        yield new Map(kept.map((id, at) => [id, texts[at]?.toString() ?? ""]));
      }
    } while (cursor !== "0");
  }

  async forget(id: string): Promise<void> {
    const { ids, labels } = this.#keys;
    const call = { ...this.#call("remove"), key: id, class: "idempotent" } as const;
    const replies = await this.#driver.batch(
      [
        ["ZREM", ids, id],
        ["HDEL", labels, id],
      ],
      call,
      ids,
    );
    replies.forEach(orThrow);
  }

  #call(operation: string): UnclassedCall {
    return { op: `series.${operation}`, key: this.#store.name, timeoutMs: this.#store.settings.timeoutMs };
  }
}

interface Page {
  readonly cursor: string;
  readonly series: readonly { readonly id: string; readonly expiresAt: number }[];
}

function decodePage(reply: Reply): Page {
  const [cursor, flat] = decodeList(reply, (part) => part);
  const series = decodeRows(flat, 2, (row, at) => ({
    id: decodeText(row[at]),
    expiresAt: Number(decodeText(row[at + 1])),
  }));
  return { cursor: decodeText(cursor), series };
}
