/** How much memory 100,000 entries take in a cache's first level, and in a bare lru-cache; and what is left of a million changes. */
import { LRUCache } from "lru-cache";
import { systemRuntime } from "../../src/base/runtime.ts";
import { Memory } from "../../src/cache/l1/memory.ts";
import { l1Settings } from "../../src/cache/l1/options.ts";
import { connect } from "../../src/connect.ts";

interface User {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly address: { readonly street: string; readonly city: string; readonly zip: string };
  readonly active: boolean;
}

const ENTRIES = 100_000;
const CHUNK = 1_000;
const CHANGES = 1_000_000;
const [url = "", prefix = ""] = process.argv.slice(2);

const hf = await connect(url, { prefix });
const users = hf.cache<User>("users", { ttl: "1h", timeout: "1m", l1: { max: ENTRIES, maxBytes: 2 ** 30 } });
await users.set("first", user(0));
while (users.peek("first") === undefined) await users.get("first");
await users.delete("first");

const before = used();
const bare = new LRUCache<string, User>({ max: ENTRIES, ttl: 3_600_000 });
for (let at = 0; at < ENTRIES; at += 1) bare.set(`user:${at}`, JSON.parse(JSON.stringify(user(at))) as User);
const bareBytes = used() - before;
// Held up to here.
const { size } = bare;
bare.clear();

const empty = used();
for (let at = 0; at < ENTRIES; at += CHUNK) {
  const ids = Array.from({ length: CHUNK }, (_, more) => `user:${at + more}`);
  await users.setMany(ids.map((id, more) => [id, user(at + more)] as const));
  // On a busy machine a connection may be given up, and nothing is kept for a moment.
  do await users.getMany(ids);
  while (ids.some((id) => users.peek(id) === undefined));
}
const l1Bytes = used() - empty;
const { entries } = users.stats().l1!;

const none = used();
const memory = new Memory(systemRuntime, l1Settings(true)!);
for (let at = 0; at < CHANGES; at += 1) memory.changed(`user:${at}`);
const changedBytes = used() - none;

process.send!({ size, entries, bareBytes, l1Bytes, changes: memory.changes, changedBytes });

/** 200 bytes of JSON. */
function user(id: number): User {
  const address = { street: "12 St James's Square", city: "London", zip: "SW1Y 4LB" };
  const email = `ada.lovelace.${id}@example.com`;
  return { id, name: "Ada Lovelace", email, roles: ["admin", "author"], address, active: true };
}

function used(): number {
  for (let turn = 0; turn < 4; turn += 1) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
