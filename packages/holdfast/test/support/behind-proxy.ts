/** A server of a suite's own with a proxy in front of it, one handle through the proxy and one around it; opened, healed and closed with the suite. */
import { afterAll, afterEach, beforeAll } from "vitest";
import { connect } from "../../src/connect.ts";
import type { Holdfast } from "../../src/holdfast.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "./servers.ts";
import { randomName } from "./two-handles.ts";

export class BehindProxy {
  readonly prefix: string = randomName();
  server!: Standalone;
  proxy!: Proxy;
  /** Through the proxy. */
  hf!: Holdfast;
  direct!: Holdfast;

  constructor() {
    const { prefix } = this;
    beforeAll(async () => {
      this.server = await startStandalone();
      this.proxy = await startProxy(this.server);
      [this.hf, this.direct] = await Promise.all([
        connect(this.proxy.url, { prefix, timeout: "20s" }),
        connect(this.server.url, { prefix }),
      ]);
    });
    afterEach(async () => {
      this.server.resume();
      await this.proxy.heal();
    });
    afterAll(async () => {
      await Promise.all([this.hf?.close(), this.direct?.close()]);
      await this.proxy?.stop();
      await this.server?.stop();
    });
  }
}
