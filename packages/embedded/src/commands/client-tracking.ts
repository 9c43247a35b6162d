/** CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO. */
import { fail, SYNTAX, shown } from "../base/errors.ts";
import { int64Argument } from "../base/numbers.ts";
import { MapReply, OK, type Reply, SetReply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import type { TrackingOptions, TrackingState } from "../engine/tracking.ts";
import { type CommandSpecOf, is, subcommand } from "../engine/command.ts";

const FLAGS = "noscript loading stale";

export const trackingCommands: readonly CommandSpecOf[] = [
  subcommand({
    name: "tracking",
    arity: -3,
    flags: FLAGS,
    category: "connection",
    run: (ctx, args) => tracking(ctx, args),
  }),
  subcommand({
    name: "caching",
    arity: 3,
    flags: FLAGS,
    category: "connection",
    run: (ctx, [, , answer]) => caching(ctx, answer),
  }),
  subcommand({
    name: "getredir",
    arity: 2,
    flags: FLAGS,
    category: "connection",
    run: (ctx) => ctx.tracking?.redirect ?? -1,
  }),
  subcommand({
    name: "trackinginfo",
    arity: 2,
    flags: FLAGS,
    category: "connection",
    run: (ctx) =>
      new MapReply([
        "flags",
        new SetReply(flagNames(ctx.tracking)),
        "redirect",
        ctx.tracking?.redirect ?? -1,
        "prefixes",
        [...(ctx.tracking?.registered ?? [])].sort(),
      ]),
  }),
];

function tracking(ctx: Session, args: readonly string[]): Reply {
  const options = parseOptions(ctx, args);
  if (is(args[2], "OFF")) ctx.engine.tracking.disable(ctx);
  else if (is(args[2], "ON")) {
    refuseConflicts(ctx.tracking, options);
    ctx.engine.tracking.enable(ctx, options);
  } else fail(SYNTAX);
  return OK;
}

function parseOptions(ctx: Session, args: readonly string[]): TrackingOptions {
  const options = {
    redirect: 0,
    broadcast: false,
    optIn: false,
    optOut: false,
    noLoop: false,
    prefixes: [] as string[],
  };
  for (let i = 3; i < args.length; i += 1) {
    const value = args[i + 1];
    const name = args[i]?.toUpperCase();
    if (name === "BCAST") options.broadcast = true;
    else if (name === "OPTIN") options.optIn = true;
    else if (name === "OPTOUT") options.optOut = true;
    else if (name === "NOLOOP") options.noLoop = true;
    else if (name === "REDIRECT" && value !== undefined) {
      if (options.redirect !== 0) fail("ERR A client can only redirect to a single other client");
      options.redirect = redirection(ctx, value);
      i += 1;
    } else if (name === "PREFIX" && value !== undefined) {
      options.prefixes.push(value);
      i += 1;
    } else fail(SYNTAX);
  }
  return options;
}

function redirection(ctx: Session, text: string): number {
  const id = Number(int64Argument(text));
  return ctx.engine.sessions.has(id) ? id : fail("ERR The client ID you want redirect to does not exist");
}

/** Modes which exclude each other, and switches that need TRACKING OFF first. */
function refuseConflicts(current: TrackingState | undefined, next: TrackingOptions): void {
  if (!next.broadcast && next.prefixes.length > 0) fail("ERR PREFIX option requires BCAST mode to be enabled");
  if (current !== undefined && current.broadcast !== next.broadcast) {
    fail(
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
    );
  }
  if (next.broadcast && (next.optIn || next.optOut)) fail("ERR OPTIN and OPTOUT are not compatible with BCAST");
  if (next.optIn && next.optOut) fail("ERR You can't specify both OPTIN mode and OPTOUT mode");
  if ((next.optIn && current?.optOut === true) || (next.optOut && current?.optIn === true)) {
    fail(
      "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
    );
  }
  if (next.broadcast) refuseOverlaps(current?.registered ?? new Set(), next.prefixes);
}

const NO_OVERLAP = "Prefixes for a single client must not overlap.";

function refuseOverlaps(existing: ReadonlySet<string>, prefixes: readonly string[]): void {
  prefixes.forEach((prefix, i) => {
    const old = [...existing].sort().find((other) => overlap(prefix, other));
    if (old !== undefined)
      fail(`ERR Prefix '${shown(prefix)}' overlaps with an existing prefix '${shown(old)}'. ${NO_OVERLAP}`);
    const other = prefixes.slice(i + 1).find((later) => overlap(prefix, later));
    if (other !== undefined) {
      fail(`ERR Prefix '${shown(prefix)}' overlaps with another provided prefix '${shown(other)}'. ${NO_OVERLAP}`);
    }
  });
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function caching(ctx: Session, answer: string): Reply {
  const state =
    ctx.tracking ??
    fail("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
  if (is(answer, "YES")) {
    if (!state.optIn) fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  } else if (is(answer, "NO")) {
    if (!state.optOut) fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  } else fail(SYNTAX);
  state.caching = true;
  return OK;
}

function flagNames(state: TrackingState | undefined): string[] {
  if (state === undefined) return ["off"];
  const names: readonly (readonly [boolean, string])[] = [
    [true, "on"],
    [state.broadcast, "bcast"],
    [state.optIn, "optin"],
    [state.optIn && state.caching, "caching-yes"],
    [state.optOut, "optout"],
    [state.optOut && state.caching, "caching-no"],
    [state.noLoop, "noloop"],
    [state.broken, "broken_redirect"],
  ];
  return names.filter(([on]) => on).map(([, name]) => name);
}
