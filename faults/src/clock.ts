/** Whether the machine's wall clock runs evenly: what is due by it comes too early where it is set back. */

const LOOK_MS = 50;
/** Less is a late timer's doing. */
const STEP_MS = 10;

export class ClockWatch {
  readonly #timer: NodeJS.Timeout;
  #offsetMs = offset() ?? Date.now() - monotonicMs();
  /** The sum of all steps back. */
  setBackMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    this.#look();
    clearInterval(this.#timer);
  }

  #look(): void {
    const offsetMs = offset() ?? this.#offsetMs;
    const stepMs = offsetMs - this.#offsetMs;
    if (stepMs < -STEP_MS) this.setBackMs -= stepMs;
    this.#offsetMs = offsetMs;
  }
}

/** Undefined where something came between the two readings. */
function offset(): number | undefined {
  const before = monotonicMs();
  const wall = Date.now();
  const after = monotonicMs();
  return after - before > 1 ? undefined : wall - after;
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
