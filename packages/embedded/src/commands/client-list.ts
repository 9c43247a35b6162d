/** A client as CLIENT LIST and CLIENT INFO show it. */
import { fail, shown } from "../base/errors.ts";
import type { Session } from "../engine/session.ts";

export function describeClient(session: Session): string {
  const { engine, tracking, transaction, subscriptions } = session;
  const seconds = (sinceMs: number): number => Math.floor((engine.nowMs - sinceMs) / 1000);
  const fields: readonly (readonly [string, string | number])[] = [
    ["id", session.id],
    ["addr", session.outlet.address],
    ["laddr", session.outlet.localAddress],
    ["fd", session.id + 7],
    ["name", session.name],
    ["age", seconds(session.createdAtMs)],
    ["idle", seconds(session.usedAtMs)],
    ["flags", flagsOf(session)],
    ["db", session.db.index],
    ["sub", subscriptions.channel.size],
    ["psub", subscriptions.pattern.size],
    ["ssub", subscriptions.shard.size],
    ["multi", transaction?.queue.length ?? -1],
    ["qbuf", 0],
    ["qbuf-free", 0],
    ["argv-mem", 0],
    ["multi-mem", 0],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", 0],
    ["oll", 0],
    ["omem", 0],
    ["tot-mem", 0],
    ["events", "r"],
    ["cmd", session.lastCommand],
    ["user", session.user.name],
    ["redir", tracking?.redirect ?? -1],
    ["resp", session.resp],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

function flagsOf(session: Session): string {
  const { tracking } = session;
  let flags = "";
  if (session.isSubscriber) flags += "P";
  if (session.transaction !== undefined) flags += "x";
  if (session.isBlocked) flags += "b";
  if (tracking !== undefined) flags += "t";
  if (tracking?.broken === true) flags += "R";
  if (tracking?.broadcast === true) flags += "B";
  if (session.watchedKeyChanged) flags += "d";
  if (session.noEvict) flags += "e";
  return flags === "" ? "N" : flags;
}

/** There are no replicas and no master here, but their names are known. */
export function ofType(session: Session, type: string): boolean {
  switch (type.toLowerCase()) {
    case "normal":
      return !session.isSubscriber;
    case "pubsub":
      return session.isSubscriber;
    case "master":
    case "replica":
    case "slave":
      return false;
    default:
      return fail(`ERR Unknown client type '${shown(type)}'`);
  }
}
