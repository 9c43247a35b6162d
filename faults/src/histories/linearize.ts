/**
 * Whether a history of concurrent operations can be explained by a sequential model: each operation takes effect at one moment between
 * its call and its answer, and its result is what the model allows there (M. Herlihy, J. Wing, "Linearizability: A Correctness
 * Condition for Concurrent Objects", 1990). The search is that of J. Wing and C. Gong ("Testing and Verifying Concurrent Objects",
 * 1993) in the form of G. Lowe's just-in-time linearization ("Testing for Linearizability", 2017): events are read in order, and an
 * operation takes effect only when one that overlaps it answers. What is kept after each answer are the configurations that are
 * possible by then, each once, so that a search reaches no further than operations overlap.
 */

export interface Operation<Op> {
  readonly call: number;
  /** Infinity: it was never answered, and may or may not have taken effect, at any time after its call. */
  readonly answer: number;
  readonly op: Op;
}

export interface Model<State, Op> {
  readonly initial: State;
  /** The states that may follow; none where the operation cannot have had this result here. */
  step(state: State, operation: Operation<Op>): readonly State[];
  /** Equal where states are. */
  key(state: State): string;
}

export type Linearization<State, Op> =
  | { readonly status: "ok" }
  /** `operation` has no place: beside those that overlapped it, and after any of `states`. */
  | {
      readonly status: "broken";
      readonly operation: Operation<Op>;
      readonly beside: readonly Operation<Op>[];
      readonly states: readonly State[];
    }
  /** More configurations than the search may keep. */
  | { readonly status: "undecided"; readonly operation: Operation<Op> };

/** `taken`: those of the operations under way that have taken effect. */
interface Configuration<State> {
  readonly state: State;
  readonly taken: ReadonlySet<number>;
}

const MOST_CONFIGURATIONS = 50_000;

export function linearize<State, Op>(
  model: Model<State, Op>,
  operations: readonly Operation<Op>[],
  mostConfigurations = MOST_CONFIGURATIONS,
): Linearization<State, Op> {
  const isOpen = (at: number): boolean => operations[at]!.answer === Infinity;
  const emptySet = (): Configurations<State> => new Configurations((state) => model.key(state), isOpen);
  const underWay = new Set<number>();
  let possible = emptySet();
  possible.add({ state: model.initial, taken: new Set() });
  for (const { at, isCall } of eventsOf(operations)) {
    if (isCall) {
      underWay.add(at);
      continue;
    }
    const before = [...possible.all()];
    const seen = emptySet();
    const next = emptySet();
    const open = before.filter((each) => seen.add(each));
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const { state, taken } = one;
      if (taken.has(at)) {
        next.add({ state, taken: without(taken, at) });
        continue;
      }
      for (const after of model.step(state, operations[at]!)) next.add({ state: after, taken });
      for (const other of underWay) {
        if (other === at || taken.has(other)) continue;
        for (const after of model.step(state, operations[other]!)) {
          const reached = { state: after, taken: new Set(taken).add(other) };
          if (seen.add(reached)) open.push(reached);
        }
      }
      if (seen.size > mostConfigurations) return { status: "undecided", operation: operations[at]! };
    }
    underWay.delete(at);
    if (next.size === 0) {
      const beside = [...underWay].map((other) => operations[other]!);
      return { status: "broken", operation: operations[at]!, beside, states: before.map(({ state }) => state) };
    }
    possible = next;
  }
  return { status: "ok" };
}

/** What was called at the moment of an answer overlaps it. */
function eventsOf(operations: readonly Operation<unknown>[]): { readonly at: number; readonly isCall: boolean }[] {
  const events = operations.flatMap(({ call, answer }, at) => [
    { time: call, at, isCall: true },
    ...(answer === Infinity ? [] : [{ time: answer, at, isCall: false }]),
  ]);
  return events.sort((a, b) => a.time - b.time || Number(b.isCall) - Number(a.isCall));
}

function without(set: ReadonlySet<number>, at: number): ReadonlySet<number> {
  const rest = new Set(set);
  rest.delete(at);
  return rest;
}

/** What has not been answered need never take effect: of two in the same state, the one that has spent fewer of these can do all that the other can. */
class Configurations<State> {
  readonly #byKey = new Map<string, Configuration<State>[]>();
  readonly #keyOf: (state: State) => string;
  readonly #isOpen: (at: number) => boolean;
  size = 0;

  constructor(keyOf: (state: State) => string, isOpen: (at: number) => boolean) {
    this.#keyOf = keyOf;
    this.#isOpen = isOpen;
  }

  *all(): IterableIterator<Configuration<State>> {
    for (const known of this.#byKey.values()) yield* known;
  }

  /** False where it leads to nothing that those which are known do not lead to. */
  add(one: Configuration<State>): boolean {
    const owed = [...one.taken].filter((at) => !this.#isOpen(at)).sort((a, b) => a - b);
    const key = `${this.#keyOf(one.state)} ${owed.join(",")}`;
    const known = this.#byKey.get(key) ?? [];
    if (known.some(({ taken }) => isWithin(taken, one.taken))) return false;
    const kept = known.filter(({ taken }) => !isWithin(one.taken, taken));
    this.size += 1 + kept.length - known.length;
    this.#byKey.set(key, [...kept, one]);
    return true;
  }
}

function isWithin(part: ReadonlySet<number>, whole: ReadonlySet<number>): boolean {
  if (part.size > whole.size) return false;
  for (const at of part) if (!whole.has(at)) return false;
  return true;
}
