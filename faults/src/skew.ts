/** A process whose wall clock is wrong: imported before anything else, it shifts `Date` by FAULTS_SKEW_MS. */
const skewMs = Number(process.env["FAULTS_SKEW_MS"] ?? 0);
const TrueDate = Date;

if (skewMs !== 0) {
  globalThis.Date = class extends TrueDate {
    constructor(...given: [] | [string | number | Date]) {
      if (given.length === 0) super(TrueDate.now() + skewMs);
      else super(...(given as [number]));
    }

    static override now(): number {
      return TrueDate.now() + skewMs;
    }
  } as DateConstructor;
}

/** What a right clock shows. */
export function trueNow(): number {
  return TrueDate.now();
}
