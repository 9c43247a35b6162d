/**
 * Some elements in order of score, then of key. Their scores stand a second time in an array of numbers: a search reads this
 * alone, and an element only where scores are equal. Elements are spread over the heap, and among a million each one read
 * is a wait for the memory.
 */

/** Its key never changes, its score only through the structure it is in. */
export interface Ranked {
  readonly key: string;
  score: number;
}

export class ScoreBlock<N extends Ranked> {
  readonly nodes: N[];
  readonly #scores: number[];

  constructor(nodes: N[], scores: number[] = nodes.map(({ score }) => score)) {
    this.nodes = nodes;
    this.#scores = scores;
  }

  get size(): number {
    return this.nodes.length;
  }

  /** The block must not be empty. */
  get lastScore(): number {
    return this.#scores[this.#scores.length - 1] as number;
  }

  /** The block must not be empty. */
  get lastKey(): string {
    return (this.nodes[this.nodes.length - 1] as N).key;
  }

  /** Where an element is or belongs. */
  placeOf(score: number, key: string): number {
    const { nodes } = this;
    const scores = this.#scores;
    let low = 0;
    let high = scores.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = scores[middle] as number;
      if (other < score || (other === score && (nodes[middle] as N).key < key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Number of elements with a score below this one, or up to it. */
  countScores(score: number, inclusive: boolean): number {
    const scores = this.#scores;
    let low = 0;
    let high = scores.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = scores[middle] as number;
      if (other < score || (inclusive && other === score)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(place: number, node: N): void {
    this.nodes.splice(place, 0, node);
    this.#scores.splice(place, 0, node.score);
  }

  delete(place: number, howMany: number): void {
    this.nodes.splice(place, howMany);
    this.#scores.splice(place, howMany);
  }

  /** Whether the element there would still stand between its neighbours; unknown at the ends, and then false. */
  mayBecome(place: number, score: number): boolean {
    if (place === 0 || place === this.#scores.length - 1) return false;
    const { key } = this.nodes[place] as N;
    const before = this.#scores[place - 1] as number;
    const after = this.#scores[place + 1] as number;
    return (
      (before < score || (before === score && (this.nodes[place - 1] as N).key < key)) &&
      (score < after || (score === after && key < (this.nodes[place + 1] as N).key))
    );
  }

  setScore(place: number, score: number): void {
    (this.nodes[place] as N).score = score;
    this.#scores[place] = score;
  }

  /** Takes off all from `place` on. */
  split(place: number): ScoreBlock<N> {
    return new ScoreBlock(this.nodes.splice(place), this.#scores.splice(place));
  }

  append(block: ScoreBlock<N>): void {
    this.nodes.push(...block.nodes);
    this.#scores.push(...block.#scores);
  }
}
