import { RealClock } from "holdfast-embedded";
import { expect, it } from "vitest";
import { TestNetwork } from "./test-network.ts";

it("connections that are over at both ends are forgotten", () => {
  const network = new TestNetwork(new RealClock());
  let reset = 0;
  const connection = (over: boolean) => ({ endClient: () => reset++, endServer: () => undefined, areOver: () => over });
  for (let at = 0; at < 100; at++) network.open(connection(true));
  network.open(connection(false));
  network.open(connection(false));
  network.cut();
  expect(reset).toBe(2);
});
