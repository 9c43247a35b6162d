/** A chip for each panel: the primitive behind it, the demo's own lines that use it, and what they send to the server. */
import { byId, h } from "./dom.ts";

interface Primitive {
  readonly does: string;
  /** Lines of this demo, as they stand in its sources. */
  readonly code: readonly string[];
  /** Commands; a script is named by its file. */
  readonly commands: readonly string[];
}

const PRIMITIVES: Readonly<Record<string, Primitive>> = {
  cache: {
    does: "In the memory of each process and on the server; one load for the whole fleet; nobody is served what was invalidated; what is written behind outlives its process.",
    code: [
      'hf.cache<AirportProfile>("airport-profiles", { ...SERVED_ON, negativeTtl: "30s" })',
      "caches.profiles.getOrSet(code, () => airportProfile(db, code))",
      "cache.getOrSetMany(codes, (missing) => airportProfiles(db, missing.map(String)))",
      "caches.searches.getOrSet(JSON.stringify(search), load, { tags })",
      "caches.searches.invalidate({ tags: [...tags] })",
      "await rows.write(code, value)",
    ],
    commands: [
      "from memory: nothing; CLIENT TRACKING says what others change",
      "GET, MGET",
      "on a miss: EVALSHA lookup.lua, after the load EVALSHA fill.lua",
      "EVALSHA invalidate.lua",
      "a write behind: accept.lua, in one step for the entry and for the note that it is to be written",
    ],
  },
  counter: {
    does: "No increment is lost, and none happens twice with the same idempotency key.",
    code: ["state.totals.increment(id, by, { idempotencyKey })", "state.totals.getMany(ids)"],
    commands: ["EVALSHA increment-once.lua", "MGET"],
  },
  geo: {
    does: "The nearest members of a place, by distance on the sphere.",
    code: ['state.places.nearest({ member: airportParam(c, "code") }, { count: 5 })'],
    commands: ["EVALSHA look.lua, in which ZRANGE, once or twice"],
  },
  leaderboard: {
    does: "Ranks, pages and neighbours in one round trip; `best` keeps the higher score.",
    code: ["state.boards.busiest.best(code, busiest)", "busiest.top(TOP)", "state.boards.busiest.around(code, 2)"],
    commands: ["EVALSHA best.lua, in which ZADD", "EVALSHA page.lua, in which ZRANGE", "EVALSHA around.lua"],
  },
  limiter: {
    does: "GCRA by the server's clock; a denial consumes nothing, an outage lets visitors in.",
    code: ['hf.limiter("api", {', 'algorithm: "gcra",', 'onOutage: "allow",', "limiter.consume(clientOf(c))"],
    commands: ["EVALSHA gcra.lua, in which GET and SET PXAT"],
  },
  lock: {
    does: "A lease that is renewed while its holder lives, and a fence that only rises.",
    code: [
      "service.hf.lock(LEADER_LOCK, { ttl: LEADER_TTL, maxHold: false, owner })",
      'leadership.acquire({ wait: "1h", signal: service.signal })',
    ],
    commands: ["EVALSHA acquire.lua", "every third of the ttl: EVALSHA extend.lua", "EVALSHA release.lua"],
  },
  queue: {
    does: "A job runs until it has succeeded; its acknowledgement and its mark are one step. A schedule adds one job per tick over the whole fleet.",
    code: [
      "this.queue.add(batch, {",
      'this.queue.groups.set(GROUP, { order: "strict" })',
      'job.commit((tx) => tx.queue("SET", job.key("applied"), String(to)))',
      "this.queue.schedules.set(SCHEDULE, {",
    ],
    commands: [
      "EVALSHA add.lua",
      "EVALSHA claim.lua, which renews the lease",
      "EVALSHA commit.lua, in which SET",
      "EVALSHA schedule-tick.lua",
    ],
  },
  records: {
    does: "Typed hashes; an update reads, changes and writes only if nobody wrote in between.",
    code: ["state.airports.update(code, change, { initial: nothing })", "state.airports.get(code)"],
    commands: ["HGETALL", "EVALSHA set.lua, in which HSET"],
  },
  tags: {
    does: "Items by their tags and tags by their items; both directions change together.",
    code: ["state.tags.find({ all, not, limit: MAX_RESULTS })", "state.tags.add(code, tagsFor(airport.state, record))"],
    commands: ["EVALSHA find.lua", "EVALSHA change.lua"],
  },
  topic: {
    does: "Messages that are kept: a page that comes back reads what it has missed, and one that was published twice is there once.",
    code: [
      "news.publish({ flight, ...leader }, { id: String(flight.index) })",
      "news.messages({ from, signal, onGap: ",
      "news.page({ limit: RECENT })",
    ],
    commands: [
      "one script for all messages of a tick: XADD, SPUBLISH",
      "SSUBSCRIBE",
      "HMGET and XRANGE for what was missed",
    ],
  },
  transaction: {
    does: "The cursor moves only if nobody else has moved or claimed it, so the next leader goes on at exactly the next flight.",
    code: ["this.#hf.transaction(keys, body, { attempts: ATTEMPTS })", 'tx.queue("SET", this.#cursor, '],
    commands: ["WATCH", "GET", "MULTI", "SET", "EXEC"],
  },
};

const GAP = 8;

/** Fills every `data-primitives="lock cache"` of the page with its chips. */
export function showPrimitives(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-primitives]")) {
    const names = (place.dataset["primitives"] ?? "").split(" ");
    place.replaceChildren(
      ...Object.entries(PRIMITIVES).flatMap(([name, it]) => (names.includes(name) ? createChip(name, it) : [])),
    );
  }
}

function createChip(name: string, primitive: Primitive): HTMLButtonElement {
  const card = byId("primitive");
  const chip = h("button", { type: "button", class: "primitive", "aria-label": `How hf.${name} is used here` }, name);
  chip.popoverTargetElement = card;
  chip.addEventListener("click", () => {
    describe(card, name, primitive);
    place(card, chip.getBoundingClientRect());
  });
  return chip;
}

function describe(card: HTMLElement, name: string, { does, code, commands }: Primitive): void {
  card.replaceChildren(
    h("h2", { id: "primitive-title" }, `hf.${name}`),
    h("p", {}, does),
    h("h3", {}, "In this demo"),
    h("pre", {}, h("code", {}, code.join("\n"))),
    h("h3", {}, "On the wire"),
    h("ul", {}, ...commands.map((command) => h("li", {}, h("code", {}, command)))),
  );
}

/** Under its chip, or above it where there is more room. */
function place(card: HTMLElement, chip: DOMRect): void {
  const below = chip.bottom < innerHeight / 2;
  const { style } = card;
  style.setProperty("--left", `${chip.right}px`);
  style.setProperty("top", below ? `${chip.bottom + GAP}px` : "auto");
  style.setProperty("bottom", below ? "auto" : `${innerHeight - chip.top + GAP}px`);
}
