/** A job that waits for another: its queue, partition and id; what it does when that one dies (a letter, see `flow-ended.lua`); how it calls that one. */
export type Waiting = readonly [queue: string, partition: number, id: string, policy: string, ref: string];
