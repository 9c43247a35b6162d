/** What a cluster node says of all members: CLUSTER NODES, one line for each. */

export interface ClusterNode {
  readonly id: string;
  readonly port: number;
  readonly role: "primary" | "replica";
  /** `suspected` is this node's own view, `failed` is what the majority of primaries agreed on. */
  readonly health: "ok" | "suspected" | "failed";
  /** Id of the primary of a replica, "-" for a primary. */
  readonly primaryId: string;
  /** Single slots and ranges such as `0-5460`. */
  readonly slots: readonly string[];
}

/** Members only: a node still in handshake has no final id. */
export function parseClusterNodes(text: string): ClusterNode[] {
  const lines = text.trim().split("\n");
  return lines.filter((line) => !line.includes("handshake")).map(parseLine);
}

/** `<id> <ip:port@bus[,host]> <flags> <primary> <ping> <pong> <epoch> <link> <slot> ...` */
function parseLine(line: string): ClusterNode {
  const [id = "", address = "", flagList = "", primaryId = "", , , , , ...slots] = line.trim().split(" ");
  const flags = flagList.split(",");
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    role: flags.includes("slave") ? "replica" : "primary",
    health: flags.includes("fail") ? "failed" : flags.includes("fail?") ? "suspected" : "ok",
    primaryId,
    // A slot in migration is said again as `[93-<-id]` or `[93->-id]`.
    slots: slots.filter((slot) => !slot.startsWith("[")),
  };
}

/** The same text from two nodes means that they see the same members, roles and owners of slots. */
export function fingerprint(nodes: readonly ClusterNode[]): string {
  const lines = nodes.map(({ id, role, health, primaryId, slots }) =>
    health === "failed" ? `${id} failed` : `${id} ${role} ${health} ${primaryId} ${slots.join(" ")}`,
  );
  return lines.sort().join("\n");
}

export function servesSlot(node: ClusterNode, slot: number): boolean {
  return node.slots.some((range) => {
    const [first = -1, last = first] = range.split("-").map(Number);
    return first <= slot && slot <= last;
  });
}
