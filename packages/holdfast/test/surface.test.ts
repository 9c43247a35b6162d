/**
 * What holds for every public call, found by enumerating the classes: a new method that is not in the table fails here.
 *
 * What could go wrong, and the test for each:
 * - an error, its cause or stack, or a trace, shows a secret ... "no argument is in an error or a trace ..."
 * - a mistake is a TypeError of ours ............................ the same, which takes HoldfastErrors only
 * - a refusal does not say which instance of many refused ....... "... what is refused is refused in its own name"
 */
import { tracingChannel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Holdfast, HoldfastError, InvalidArgumentError } from "../src/index.ts";
import { OPERATION_CHANNEL, type Operation } from "../src/core/observe/observe.ts";
import { backends } from "./support/backends.ts";
import { isPlain, Name, plain, type PublicCall, publicCalls, toItsEnd } from "./support/surface.ts";
import { randomName } from "./support/two-handles.ts";

const SECRET = "pl4nted-s3cret";

/** As values of a type that is wrong nearly everywhere. A name may be shown, so where one belongs there is no plain text. */
function planted(arg: unknown): unknown[] {
  const others = [{ field: SECRET }, () => SECRET, Symbol(SECRET)];
  return arg instanceof Name ? others : [SECRET, [SECRET], ...others];
}

/** The arguments with one of them, or one field of one of them, replaced. */
function* mistakes(args: readonly unknown[]): Generator<unknown[]> {
  for (const [at, arg] of args.entries())
    for (const wrong of mistaken(arg)) yield args.map((each, place) => (place === at ? wrong : plain(each)));
}

function* mistaken(arg: unknown): Generator {
  yield* planted(arg);
  if (!isPlain(arg)) return;
  for (const [field, value] of Object.entries(arg))
    for (const wrong of mistaken(value)) yield { ...(plain(arg) as object), [field]: wrong };
}

async function failureOf(invoke: () => unknown): Promise<unknown> {
  try {
    await toItsEnd(invoke);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(backends("standalone", "embedded"))("every public call [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let calls: PublicCall[];
  let traced: string;
  const channel = tracingChannel<string, Operation>(OPERATION_CHANNEL);
  const note = (operation: Operation): void => {
    traced += inspect(operation, { depth: Infinity, showHidden: true, maxStringLength: Infinity });
  };
  const listeners = { start: note, end: note, asyncStart: note, asyncEnd: note, error: note };

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: randomName() });
  });
  afterAll(() => hf?.close());
  beforeEach(async () => {
    calls = await publicCalls(hf);
    traced = "";
    channel.subscribe(listeners);
  });
  afterEach(() => channel.unsubscribe(listeners));

  it("no argument is in an error or a trace, and what is refused is refused in its own name", async () => {
    const faults = new Set<string>();
    for (const { name, where, args, invoke } of calls) {
      for (const given of mistakes(args)) {
        traced = "";
        const error = await failureOf(() => invoke(given));
        const shown = inspect(error, { depth: Infinity, showHidden: true, maxStringLength: Infinity });
        if (error !== undefined && !(error instanceof HoldfastError)) faults.add(`${name}: ${shown}`);
        if (shown.includes(SECRET)) faults.add(`${name} shows it: ${shown}`);
        if (traced.includes(SECRET)) faults.add(`${name} traces it: ${traced}`);
        // A factory that is given no name has none to show.
        const named = where !== undefined && (name.includes(".") || typeof given[0] === "string");
        if (named && error instanceof InvalidArgumentError && !error.message.startsWith(`${where}: `))
          faults.add(`${name}: ${error.message}`);
      }
    }
    expect([...faults]).toEqual([]);
  }, 300_000);
});
