import { describe, expect, it } from "vitest";
import { backends } from "./backends.ts";
import { respCommand } from "./servers.ts";
import { BACKEND_NAMES, chooseBackends } from "./shared-servers.ts";

describe.each(backends())("shared server [$name]", ({ url, options }) => {
  it("answers at every address of its url", async () => {
    const { username, password, addresses } = parse(url);
    for (const address of addresses) {
      const port = Number(address.split(":")[1]);
      expect(await respCommand({ port, ...(password && { username, password }), ...options }, "PING")).toBe("PONG");
    }
  });
});

describe("chooseBackends", () => {
  it("takes a list, keeps the order, and means all of them by none", () => {
    expect(chooseBackends("")).toEqual(BACKEND_NAMES);
    expect(chooseBackends("tls, standalone")).toEqual(["standalone", "tls"]);
  });

  it("refuses a name that it does not know", () => {
    expect(() => chooseBackends("standalone,clutser")).toThrow('"clutser" is none of');
  });
});

/** `scheme://[user:password@]host:port[,host:port]...[/name]` */
function parse(url: string): { username: string; password: string; addresses: string[] } {
  const [, username = "", password = "", hosts = ""] = /^[\w-]+:\/\/(?:(.*):(.*)@)?([^/]+)/.exec(url) ?? [];
  return { username, password: decodeURIComponent(password), addresses: hosts.split(",") };
}
