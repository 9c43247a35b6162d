/** Runs a script as if it were a chosen microsecond on the server, also for the expiry of its keys. */
import type { Driver } from "../../src/driver/port.ts";
import type { Script } from "../../src/core/script/script.ts";

/** In front of a script it answers TIME with the last two arguments. */
const CHOSEN_CLOCK = `
local server = redis
local redis = setmetatable({ call = function(command, ...)
  if command == 'TIME' then return { ARGV[#ARGV - 1], ARGV[#ARGV] } end
  return server.call(command, ...)
end }, { __index = server })
`;

/** So far ahead that the real clock lets nothing expire. */
export const CHOSEN_BEGIN_MS: number = Date.now() + 1e10;

export async function scriptAt<Args, Result>(
  driver: Driver,
  micros: number,
  script: Script<{ state: string }, Args, Result>,
  { state }: { readonly state: string },
  args: Args,
): Promise<Result> {
  const send = (...command: string[]) => driver.send(command, { op: "test", class: "unsafe" }, state);
  const expiresAtMs = Number(await send("PEXPIRETIME", state));
  if (expiresAtMs > 0 && micros / 1_000 > expiresAtMs) await send("DEL", state);
  const encoded: string[] = [];
  script.encodeArgs(args, encoded);
  const clock = [Math.floor(micros / 1e6), micros % 1e6].map(String);
  return script.decode(await send("EVAL", CHOSEN_CLOCK + script.lua, "1", state, ...encoded, ...clock));
}
