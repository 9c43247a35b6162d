/**
 * What could go wrong, and the test for it:
 * - a transition whose answer is lost is told by nobody, or twice ............... "a lost answer"
 * - a call that was sent before and is forgotten is done again ................. "a lost answer that the server no longer remembers"
 * - a transition is lost because the server goes away behind it ............... "behind an exit"
 * - an outage is taken for an exit ............................................... "while the server is away"
 */
import { describe, expect, it, vi } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { UnavailableError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import { createTestServer } from "../testing/index.ts";
import { track } from "./scripts.gen.ts";

const CENTER = { lon: 13.4, lat: 52.5 };
const FAR = { lon: 14, lat: 52.5 };

describe("geofence on one server [standalone]", () => {
  it("a lost answer: the transition is told once; one that the server no longer remembers is unknown", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    const prefix = randomName();
    await using hf = await connect(proxy.url, { prefix, timeout: "20s" });
    await using other = await connect(server.url, { prefix });
    const [here, there] = [hf.geofence("g"), other.geofence("g")];
    await there.set("depot", { center: CENTER, meters: 100 });
    await here.track("a", FAR);

    const entered = await losingAnswer(
      proxy,
      track,
      () => here.track("a", CENTER),
      () => there.track("a", CENTER),
    );
    expect(entered).toMatchObject({ status: "ok", transitions: [{ kind: "enter", number: 1 }] });
    // What came late and was done before does not undo what others did.
    const left = await losingAnswer(
      proxy,
      track,
      () => here.track("a", FAR),
      () => there.track("a", CENTER),
    );
    expect(left).toMatchObject({ transitions: [{ kind: "exit", number: 2 }] });
    expect(await there.inside("a")).toHaveLength(1);

    const many = async (): Promise<void> => {
      for (let call = 0; call < 8; call += 1) await there.track("a", CENTER);
    };
    const forgotten = losingAnswer(proxy, track, () => here.track("a", FAR), many);
    await expect(forgotten).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", op: "geofence.track", key: "a" });
    expect(await there.inside("a")).toHaveLength(1);
  });

  it("while the server is away calls reject by their deadline: never an exit", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url, { prefix: randomName() });
    const zones = hf.geofence("g", { timeout: 200 });
    proxy.refuse();
    proxy.cut();
    const outage = { name: expect.stringMatching(/UnavailableError|TimeoutError/), retryable: true };
    await expect(zones.track("a", CENTER)).rejects.toMatchObject(outage);
    await expect(zones.containing(CENTER)).rejects.toMatchObject({ ...outage, op: "geofence.containing" });
    await expect(zones.inside("a")).rejects.toMatchObject({ ...outage, op: "geofence.inside" });
  });

  it("the server goes away behind an exit: it is told all the same", async () => {
    await using server = await createTestServer();
    const hf = await server.connect();
    const zones = hf.geofence("g");
    await zones.set("depot", { center: CENTER, meters: 100 });
    await zones.track("a", CENTER);
    const send = hf.driver.send.bind(hf.driver);
    const asked = vi.spyOn(hf.driver, "send").mockImplementation((...call) => {
      const [args] = call;
      const isFence = args[0] === "HMGET" && String(args[2]).startsWith("f");
      return isFence ? Promise.reject(new UnavailableError("away")) : send(...call);
    });
    expect(await zones.track("a", FAR)).toMatchObject({ transitions: [{ kind: "exit", fence: "depot" }] });
    expect(asked.mock.calls.map(([args]) => args[2])).toContain("fdepot");
  });
});
