/**
 * Which member owns which partition: computed by each of them from the same list, so that nobody has to lead.
 *
 * Rendezvous hashing (Thaler and Ravishankar, 1996) with a bound: of all pairs of a member and a partition the heaviest is settled
 * first, and a member whose share is full gets no more. So shares differ by one at most, and a member that comes or goes moves
 * little more than its own share.
 */
interface Pair {
  readonly weight: number;
  readonly member: string;
  readonly partition: number;
}

/** Returns the partitions, counted from 0, of one of `members`; none where it is not among them. */
export function partitionsOf(member: string, members: readonly string[], partitions: number): ReadonlySet<number> {
  const own = new Set<number>();
  if (!members.includes(member)) return own;
  for (const [partition, owner] of assign(members, partitions).entries()) if (owner === member) own.add(partition);
  return own;
}

/** Returns the owner of each partition. The order of `members` does not matter. */
export function assign(members: readonly string[], partitions: number): string[] {
  const pairs: Pair[] = members.flatMap((member) =>
    Array.from({ length: partitions }, (_, partition) => ({ weight: weigh(member, partition), member, partition })),
  );
  pairs.sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1));
  const owners = Array.from<string | undefined>({ length: partitions });
  const shares = new Map<string, number>();
  const even = Math.floor(partitions / members.length);
  /** So many may have one more. */
  let larger = partitions % members.length;
  for (const { member, partition } of pairs) {
    const share = shares.get(member) ?? 0;
    const isFull = share > even || (share === even && larger === 0);
    if (owners[partition] !== undefined || isFull) continue;
    if (share === even) larger -= 1;
    owners[partition] = member;
    shares.set(member, share + 1);
  }
  return owners as string[];
}

/** FNV-1a of the name and the partition, then the last steps of MurmurHash3, which spread what differs in one bit. */
function weigh(member: string, partition: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < member.length; at += 1) hash = Math.imul(hash ^ member.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (partition + 0x9e3779b9), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
