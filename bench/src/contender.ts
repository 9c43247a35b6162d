/** The process of one contender: opens it, says that it is ready, and runs a round for each message. */
import { runRound, type Round, type RoundOptions } from "./round.ts";
import { type Operation, Skipped, type Target } from "./suite.ts";
import { suiteOf } from "./suites.ts";

/** From the contender's process. */
export type Told = { readonly ready: true } | { readonly skipped: string } | { readonly round: Round };

const [suite = "", name = "", url = "", port = ""] = process.argv.slice(2);
const target: Target = { url, port: Number(port) };
const operation = await opened();

process.on("message", (options: RoundOptions) => {
  void runRound(operation, options).then((round) => tell({ round }));
});
// Without the runner there is nobody to measure for.
process.on("disconnect", () => process.exit());
tell({ ready: true });

async function opened(): Promise<Operation> {
  try {
    const found = suiteOf(suite);
    if (!("contenders" in found)) throw new Error(`suite "${suite}" has no contenders`);
    return await found.contenders[name]!(target);
  } catch (error) {
    if (error instanceof Skipped) tell({ skipped: error.message });
    throw error;
  }
}

function tell(message: Told): void {
  process.send!(message);
}
