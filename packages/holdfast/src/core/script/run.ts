/** Runs generated scripts: typed keys and arguments down, one EVALSHA, a typed result up. */
import type { Arg, Driver } from "../../driver/port.ts";
import { classed, decodeReply, type UnclassedCall } from "./reply.ts";
import type { Script } from "./script.ts";

export { decodedBy, itemError, type UnclassedCall } from "./reply.ts";
export { asHoldfastError, type BatchItem, MAX_BATCH_ITEMS, MAX_MERGED_BYTES, mostOf, runMerged } from "./run-merged.ts";

/**
 * One EVALSHA; the source follows once when the server does not know it yet.
 * @throws InvalidArgumentError for an argument that cannot be sent as the header says, before anything is sent.
 * @throws ReplyError for a reply that the script's header does not allow.
 * Not `async`, as it is on the way of every call that is not merged; it never throws all the same, but rejects.
 * @param onRepeat returns the arguments to send again after an attempt that may have been executed was lost
 */
export function runScript<Keys, Args, Result>(
  driver: Driver,
  script: Script<Keys, Args, Result>,
  keys: Keys,
  args: Args,
  call: UnclassedCall,
  onRepeat?: () => Args,
): Promise<Result> {
  const wireKeys: Arg[] = [];
  const wireArgs: Arg[] = [];
  try {
    script.encodeKeys(keys, wireKeys);
    script.encodeArgs(args, wireArgs);
  } catch (error) {
    return Promise.reject(error);
  }
  const again = onRepeat === undefined ? undefined : (): Arg[] => encoded(script, onRepeat());
  const reply = driver.script(script, wireKeys, wireArgs, classed(script.class, call, again));
  return reply.then((received) => decodeReply(script, received, call.op, call.key));
}

function encoded<Args>(script: Script<never, Args, unknown>, args: Args): Arg[] {
  const wire: Arg[] = [];
  script.encodeArgs(args, wire);
  return wire;
}
