import { describe, expect, it } from "vitest";
import { backends } from "./backends.ts";
import { respCommand } from "./servers.ts";
import { BACKEND_NAMES, chooseBackends, usualBackends } from "./shared-servers.ts";

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
    expect(chooseBackends("all")).toEqual(BACKEND_NAMES);
    expect(chooseBackends("tls, standalone")).toEqual(["standalone", "tls"]);
  });

  it("refuses a name that it does not know", () => {
    expect(() => chooseBackends("standalone,clutser")).toThrow('"clutser" is none of');
  });
});

describe("usualBackends", () => {
  it.each(["src/cache/cache.test.ts", "src/core/wait/wakeups.test.ts", "src/holdfast.test.ts", "test/secrets.test.ts"])(
    "are all of them for %s",
    (file) => expect(usualBackends(`/home/ada/packages/holdfast/${file}`)).toEqual(BACKEND_NAMES),
  );

  it.each(["src/cache/grace.test.ts", "src/queue/flows/flows.test.ts"])("have no Sentinel and no TLS for %s", (file) =>
    expect(usualBackends(`/home/ada/packages/holdfast/${file}`)).toEqual(["standalone", "cluster", "embedded"]),
  );
});

describe("backends", () => {
  it("are the usual ones of the file that asks, or those that were chosen", () => {
    const chosen = process.env["HOLDFAST_BACKENDS"] ?? "";
    expect(backends().map(({ name }) => name)).toEqual(chooseBackends(chosen));
  });
});

/** `scheme://[user:password@]host:port[,host:port]...[/name]` */
function parse(url: string): { username: string; password: string; addresses: string[] } {
  const [, username = "", password = "", hosts = ""] = /^[\w-]+:\/\/(?:(.*):(.*)@)?([^/]+)/.exec(url) ?? [];
  return { username, password: decodeURIComponent(password), addresses: hosts.split(",") };
}
