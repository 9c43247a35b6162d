/** The server's side of geofences: the fences in one key, each entity's state in one of its own. */
import { OutcomeUnknownError } from "../base/errors.ts";
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys } from "../core/keyspace/keyspace.ts";
import { decodeList, decodeOptional, decodeRows, decodeText } from "../core/script/decode.ts";
import { decodedBy, runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Driver } from "../driver/port.ts";
import type { GeofenceSettings } from "./options.ts";
import { set, type SetResult, track, type TrackResult } from "./scripts.gen.ts";

/** Fences that one cell leads to, and that one entity is in. */
const MAX_PER_CELL = 64;
const MAX_INSIDE = 64;
/** Fields in one HMGET: some of them are fences with hundreds of corners. */
const MAX_FIELDS = 256;
/** A hint to the server: fields in one step of a scan. */
const SCAN_COUNT = "512";
const FENCE = "f";
const CELL = "c";
const SEPARATOR = "\0";
/** All fences of an instance are in one slot. */
const LANE = 0;

export class GeofenceStore {
  readonly #driver: Driver;
  readonly #settings: GeofenceSettings;
  readonly #fences: string;
  readonly #states: EntryKeys;
  readonly #lane = new Lane();
  readonly #fields: BatchKind<readonly string[], (string | null)[]>;

  constructor(core: Core, name: string, settings: GeofenceSettings) {
    this.#driver = core.driver;
    this.#settings = settings;
    this.#fences = core.keys.group("geofence", name).key;
    this.#states = core.keys.entries("geofence-state", name);
    this.#fields = {
      ...listKind<readonly string[], (string | null)[]>(MAX_FIELDS, (lists) => this.#readFields(lists)),
      weigh: (fields) => fields.length,
    };
  }

  set(id: string, text: string, cells: readonly string[]): Promise<SetResult> {
    this.#lane.flush(LANE);
    const args = { id, text, maxFences: this.#settings.maxFences, maxPerCell: MAX_PER_CELL, cells };
    return runScript(this.#driver, set, { fences: this.#fences }, args, this.#call("set", id));
  }

  /** Ids of the fences that these cells lead to. */
  async found(cells: readonly string[]): Promise<string[]> {
    const lists = await this.#lane.add(
      this.#fields,
      LANE,
      cells.map((cell) => CELL + cell),
    );
    return [...new Set(lists.flatMap((ids) => ids?.split(SEPARATOR) ?? []))];
  }

  /** What these fences are; undefined where there is none. */
  async fences(ids: readonly string[]): Promise<(string | undefined)[]> {
    const stored: (string | null)[] = [];
    for (let at = 0; at < ids.length; at += MAX_FIELDS / 4) {
      const part = ids.slice(at, at + MAX_FIELDS / 4).map((id) => FENCE + id);
      stored.push(...(await this.#lane.add(this.#fields, LANE, part)));
    }
    return stored.map((each) => each?.slice(each.indexOf("\n") + 1));
  }

  /** Ids of all fences in bounded steps; one may come twice. */
  async *ids(): AsyncGenerator<string[]> {
    let cursor = "0";
    do {
      const call = { ...this.#call("ids"), class: "read" } as const;
      const args = ["HSCAN", this.#fences, cursor, "COUNT", SCAN_COUNT];
      const reply = await this.#driver.send(args, call, this.#fences);
      const [next, flat] = decodedBy((each) => decodeList(each, (part) => part), reply, "HSCAN", call);
      const names = decodeRows(flat ?? [], 2, (row, at) => decodeText(row[at]));
      yield names.filter((name) => name.startsWith(FENCE)).map((name) => name.slice(FENCE.length));
      cursor = decodeText(next);
    } while (cursor !== "0");
  }

  async track(entity: string, at: number, inside: readonly string[], near: readonly string[]): Promise<TrackResult> {
    const { settleMs, dwellMs, ttlMs } = this.#settings;
    const call = this.#driver.runtime.randomBytes(9).toString("base64url");
    const packed = { inside: inside.join(SEPARATOR), near: near.join(SEPARATOR) };
    const args = { call, again: false, at, settleMs, dwellMs, ttlMs, most: MAX_INSIDE, ...packed };
    const onRepeat = (): typeof args => ({ ...args, again: true });
    const state = this.#states.key(entity);
    const answer = await runScript(this.#driver, track, { state }, args, this.#call("track", entity), onRepeat);
    if (answer.status !== "unknown") return answer;
    const why = "geofence.track: its answer was lost, and the server no longer remembers whether it was executed";
    throw new OutcomeUnknownError(why, { op: "geofence.track", key: entity });
  }

  /** Each fence that an entity is known to be in or around, and what the state says of it. */
  async state(entity: string): Promise<Map<string, readonly number[]>> {
    const key = this.#states.key(entity);
    const call = { ...this.#call("inside", entity), class: "read" } as const;
    const reply = await this.#driver.send(["HGETALL", key], call, key);
    const fields = decodedBy(
      (each) => decodeRows(each, 2, (row, at) => [decodeText(row[at]), decodeText(row[at + 1])] as const),
      reply,
      "HGETALL",
      call,
    );
    return new Map(
      fields.filter(([id]) => !id.startsWith(SEPARATOR)).map(([id, text]) => [id, text.split(" ").map(Number)]),
    );
  }

  async forget(entity: string): Promise<boolean> {
    const key = this.#states.key(entity);
    const call = { ...this.#call("forget", entity), class: "idempotent" } as const;
    return Number(await this.#driver.send(["UNLINK", key], call, key)) > 0;
  }

  async #readFields(lists: readonly (readonly string[])[]): Promise<(string | null)[][]> {
    const call = { ...this.#call("containing"), class: "read" } as const;
    const reply = await this.#driver.send(["HMGET", this.#fences, ...lists.flat()], call, this.#fences);
    const values = decodedBy(
      (each) => decodeList(each, (part) => decodeOptional(part, decodeText)),
      reply,
      "HMGET",
      call,
    );
    return lists.map(({ length }) => values.splice(0, length));
  }

  #call(verb: string, key?: string): UnclassedCall {
    return { op: `geofence.${verb}`, key, timeoutMs: this.#settings.timeoutMs };
  }
}
