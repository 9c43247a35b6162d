/** The runs of one worker: those under way, and those that ended well and wait to be acknowledged. */
import { HoldfastError, LeaseLostError } from "../base/errors.ts";
import type { Run } from "./run.ts";

/** One of a group counts as so many. */
const GROUPED = 5;

export class Runs {
  readonly #running = new Map<string, Run>();
  /** Under way still, but the server is being told of their end: it may hold them or not. */
  readonly #ending = new Set<Run>();
  #done: Run[] = [];
  /** Acknowledged in calls whose answers were lost; undefined: none was. */
  #doubted: readonly Run[] | undefined;
  /** Since the last agreement, as the lease was over. Their handlers may be at it still, and the server may hold their jobs for this worker. */
  #calledOff: Run[] = [];

  get running(): number {
    return this.#running.size;
  }

  get done(): number {
    return this.#done.length;
  }

  /** How many jobs the server holds for this worker, if neither side has lost anything; undefined while that cannot be told. */
  get expected(): number | undefined {
    return this.#ending.size === 0 && !this.isInDoubt ? this.#running.size + this.#done.length : undefined;
  }

  /** The answer to a call was lost, or the lease was over: what the server holds must be asked for. */
  get isInDoubt(): boolean {
    return this.#doubted !== undefined;
  }

  get(id: string): Run | undefined {
    return this.#running.get(id);
  }

  /** Not called off, nor given to another worker. */
  isCurrent(run: Run): boolean {
    return this.#running.get(run.id) === run;
  }

  begin(run: Run): void {
    this.#running.set(run.id, run);
  }

  endWell(run: Run): void {
    this.#running.delete(run.id);
    this.#done.push(run);
  }

  /** While `tell` is under way. */
  async ending(run: Run, tell: () => Promise<void>): Promise<void> {
    this.#ending.add(run);
    await tell();
    this.#ending.delete(run);
    if (this.isCurrent(run)) this.#running.delete(run.id);
  }

  /** While `commit` is under way, and from when it has succeeded until `leave`. */
  async committing<T>(run: Run, commit: () => Promise<T>): Promise<T> {
    if (this.#ending.has(run))
      throw new HoldfastError("CONFLICT", `job ${run.id}: it is committed once`, { op: "job.commit" });
    this.#ending.add(run);
    try {
      const value = await commit();
      run.isCommitted = true;
      return value;
    } catch (error) {
      this.#ending.delete(run);
      throw error;
    }
  }

  /** Of a run that was committed: its handler has ended. */
  leave(run: Run): void {
    this.#ending.delete(run);
    if (this.isCurrent(run)) this.#running.delete(run.id);
  }

  /** Up to `most`, or fewer of groups, as each of those ends with ten commands on the server. */
  takeDone(most: number): Run[] {
    let weight = 0;
    const end = this.#done.findIndex(({ record }) => (weight += record.group === undefined ? 1 : GROUPED) > most);
    return this.#done.splice(0, end === -1 ? this.#done.length : end);
  }

  putBack(done: readonly Run[]): void {
    this.#done.unshift(...done);
  }

  doubt(acknowledged: readonly Run[]): void {
    this.#doubted = [...(this.#doubted ?? []), ...acknowledged];
  }

  /**
   * What the server holds decides, by id and fence: other runs are called off, and those in doubt are done if they are not
   * held any more; returned are the ids of which nothing runs here.
   */
  agree(held: ReadonlyMap<string, number>): { readonly unknown: string[]; readonly lost: number } {
    this.putBack((this.#doubted ?? []).filter((run) => held.get(run.id) === run.fence));
    this.#doubted = undefined;
    this.#calledOff = [];
    const gone = [...this.#running.values()].filter((run) => held.get(run.id) !== run.fence && !this.#ending.has(run));
    for (const run of gone) this.#callOff(run, "it was taken for dead, and the job was given to another worker");
    const known = new Set([...this.#running.keys(), ...this.#done.map(({ id }) => id)]);
    return { unknown: [...held.keys()].filter((id) => !known.has(id)), lost: gone.length };
  }

  /** What has ended already may still be acknowledged: the server refuses it where the job is another's by now. */
  callOffAll(why: string): void {
    this.#calledOff.push(...this.#running.values());
    for (const run of this.#running.values()) this.#callOff(run, why);
    this.doubt([]);
  }

  /** Those of the runs that were called off whose claims are still good, in the order in which they began. */
  abandoned(held: ReadonlyMap<string, number>): Run[] {
    return this.#calledOff.filter((run) => held.get(run.id) === run.fence);
  }

  /** What can stop by itself does. */
  askToStop(): void {
    for (const run of this.#running.values()) run.isToStop = true;
  }

  stopAll(reasonFor: (run: Run) => Error): void {
    for (const run of this.#running.values()) run.callOff(reasonFor(run));
  }

  #callOff(run: Run, why: string): void {
    this.#running.delete(run.id);
    run.callOff(new LeaseLostError("expired", `job ${run.id}: ${why}`, { op: "queue.work", key: run.id }));
  }
}
