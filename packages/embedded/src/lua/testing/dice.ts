import { SeededRandom } from "../../base/random.ts";

export class Dice extends SeededRandom {
  some<T>(most: number, make: () => T, least = 0): T[] {
    return Array.from({ length: this.integer(least, most) }, make);
  }
}
