/** The schedules of a queue, over a handle of a test. */
import { Core } from "../../src/core/core.ts";
import type { CodecOptions } from "../../src/core/codec/codec.ts";
import { Keyspace } from "../../src/core/keyspace/keyspace.ts";
import type { Holdfast } from "../../src/holdfast.ts";
import { QueueKeys } from "../../src/queue/keys.ts";
import { ScheduleKeys } from "../../src/queue/schedules/keys.ts";
import { QueueSchedules } from "../../src/queue/schedules/schedules.ts";

export function schedulesOf<Payload>(
  hf: Holdfast,
  prefix: string,
  name: string,
  options: CodecOptions<Payload> & { readonly timeoutMs?: number } = {},
): QueueSchedules<Payload> {
  const { timeoutMs, ...codec } = options;
  const core = new Core(hf.driver, { keys: new Keyspace(prefix), codec: {} });
  const group = core.keys.group("queue", name, 0);
  const queueKeys = new QueueKeys(group);
  return new QueueSchedules<Payload>({
    core,
    where: `queue "${name}"`,
    queueKeys,
    keys: new ScheduleKeys(group),
    payload: core.codec<Payload>(codec),
    context: { aad: queueKeys.queue },
    timeoutMs,
    jobHead: "",
  });
}
