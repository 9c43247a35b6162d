export { SeededRandom as Random } from "../random.ts";
