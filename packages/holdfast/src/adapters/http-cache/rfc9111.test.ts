/**
 * What RFC 9111 (and 5861, 9211, 9110 where it refers to them) says, a case each: requests over HTTP in their order, and for each whether the handler
 * ran. Time is virtual. What could go wrong is what the names of the cases say is not so.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  FRAMEWORKS,
  type HandlerRequest,
  type HandlerResponse,
  send,
  type Served,
} from "../../../test/support/http-frameworks.ts";
import type { Holdfast } from "../../holdfast.ts";
import { createTestServer, type TestServer } from "../../testing/index.ts";
import type { HttpCacheOptions } from "./options.ts";
import type { Duration } from "../../base/options.ts";

interface Step {
  /** Time that passes before it. */
  readonly after?: Duration;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the handler answers if it runs; `body` is the number of its run unless it is given. */
  readonly answer?: HandlerResponse | "throws";
  /** Who is to answer; "both": the cache, and the handler behind it. */
  readonly by: "handler" | "cache" | "both";
  readonly status?: number;
  readonly body?: string;
  readonly has?: Readonly<Record<string, string | RegExp | undefined>>;
  /** What the handler is to be asked with. */
  readonly asked?: Readonly<Record<string, string | undefined>>;
}

type Case = readonly [name: string, steps: readonly Step[], options?: HttpCacheOptions];

const control = (value: string, more: HandlerResponse["headers"] = {}): HandlerResponse => ({
  headers: { "cache-control": value, ...more },
});
const date = (ms: number): string => new Date(ms).toUTCString();
const hit = { by: "cache", body: "1" } as const;
/** Stored at first, then as `second` says. */
const then = (value: string, second: Step): Step[] => [{ by: "handler", answer: control(value) }, second];
/** Not stored. */
const never = (answer: HandlerResponse, headers: Step["headers"] = {}): Step[] => [
  { by: "handler", answer, headers },
  { by: "handler", answer, headers, after: "2s" },
];
const always = (answer: HandlerResponse, headers: Step["headers"] = {}): Step[] => [
  { by: "handler", answer, headers },
  { ...hit, headers },
];

const FRESHNESS: Case[] = [
  ["max-age: fresh", then("max-age=10", { ...hit, after: "9s", has: { age: /^9$/ } })],
  ["max-age: stale when it is over", then("max-age=10", { by: "handler", after: "10s" })],
  ["max-age=0 is stale at once", then("max-age=0", { by: "handler", after: "1ms" })],
  ["no lifetime: not reused", never({})],
  ["a validator alone: not stored", never({ headers: { etag: '"a"' } })],
  ["s-maxage goes before max-age", then("max-age=1, s-maxage=10", { ...hit, after: "5s" })],
  ["s-maxage goes before a longer max-age", then("s-maxage=1, max-age=10", { by: "handler", after: "5s" })],
  ["of two lifetimes the shorter one", then("max-age=10, max-age=1", { by: "handler", after: "5s" })],
  ["names in capitals", then("MAX-Age=10", { ...hit, after: "5s" })],
  ["a quoted number", then('max-age="10"', { ...hit, after: "5s" })],
  ["no number: stale", then("max-age=1O", { by: "handler", after: "1ms" })],
  ["a negative number: stale", then("max-age=-1", { by: "handler", after: "1ms" })],
  ["more seconds than 31 bits", then("max-age=99999999999", { ...hit, after: "1d" })],
  ["a directive that nobody knows", then('max-age=10, x="a, no-store", y', { ...hit })],
  ["max-age goes before Expires", always(control("max-age=10", { expires: "Thu, 01 Jan 1970 00:00:00 GMT" }))],
  [
    "Age counts",
    [
      { by: "handler", answer: control("max-age=10", { age: "8" }) },
      { ...hit, after: "1s", has: { age: "9" } },
      { by: "handler", after: "1s" },
    ],
  ],
  ["Age of more than the lifetime", never(control("max-age=10", { age: "11" }))],
  ["Expires that is no date: stale", never({ headers: { expires: "0" } })],
  ["Last-Modified alone: no heuristics", never({ headers: { "last-modified": "Thu, 01 Jan 2015 00:00:00 GMT" } })],
  [
    "heuristics, where they are asked for",
    always({ headers: { "last-modified": "Thu, 01 Jan 2015 00:00:00 GMT" } }),
    { heuristic: 0.1 },
  ],
];

const STORING: Case[] = [
  ["no-store", never(control("no-store, max-age=10"))],
  ["No-StoRe", never(control("No-StoRe, max-age=10"))],
  ["private", never(control("private, max-age=10"))],
  ["Set-Cookie", never(control("max-age=10", { "set-cookie": "a=b" }))],
  ["Vary: *", never(control("max-age=10", { vary: "*" }))],
  ["206", never({ status: 206, headers: { "cache-control": "max-age=10" } })],
  [
    "404 with a lifetime",
    [
      { by: "handler", status: 404, answer: { ...control("max-age=10"), status: 404 } },
      { ...hit, status: 404 },
    ],
  ],
  [
    "301 with a lifetime",
    [
      { by: "handler", status: 301, answer: { ...control("max-age=10", { location: "/x" }), status: 301 } },
      { by: "cache", status: 301, has: { location: "/x" } },
    ],
  ],
  [
    "500 with a lifetime",
    [
      { by: "handler", status: 500, answer: { ...control("max-age=10"), status: 500 } },
      { ...hit, status: 500 },
    ],
  ],
  ["500 without", [{ by: "handler", status: 500, answer: { status: 500 } }, { by: "handler" }]],
  ["Authorization", never(control("max-age=10"), { authorization: "Basic a" })],
  ["Authorization, public", always(control("public, max-age=10"), { authorization: "Basic a" })],
  ["Authorization, s-maxage", always(control("s-maxage=10"), { authorization: "Basic a" })],
  ["Authorization, must-revalidate", always(control("max-age=10, must-revalidate"), { authorization: "Basic a" })],
  [
    "no-cache names a field: it is not stored",
    [
      { by: "handler", answer: control('max-age=10, no-cache="x-own"', { "x-own": "a" }), has: { "x-own": "a" } },
      { ...hit, has: { "x-own": undefined } },
    ],
  ],
  [
    "private names a field: it is not stored",
    [
      { by: "handler", answer: control('max-age=10, private="x-own"', { "x-own": "a" }) },
      { ...hit, has: { "x-own": undefined } },
    ],
  ],
  [
    "fields of the connection are not stored",
    [
      { by: "handler", answer: control("max-age=10", { "proxy-authenticate": "a", "x-other": "b" }) },
      { ...hit, has: { "proxy-authenticate": undefined, "x-other": "b" } },
    ],
  ],
  ["a body that is too long", never({ ...control("max-age=10"), body: "x".repeat(101) }), { maxBody: 100 }],
  [
    "a body that is just not too long",
    [
      { by: "handler", answer: { ...control("max-age=10"), body: "x".repeat(100) } },
      { by: "cache", body: "x".repeat(100) },
    ],
    { maxBody: 100 },
  ],
  [
    "another query is another response",
    [
      { by: "handler", path: "/a?b=1", answer: control("max-age=10") },
      { by: "handler", path: "/a?b=2", answer: control("max-age=10") },
      { ...hit, path: "/a?b=1" },
    ],
  ],
  [
    "a key of one's own",
    [
      { by: "handler", path: "/a?utm=1", answer: control("max-age=10") },
      { ...hit, path: "/a?utm=2" },
    ],
    { key: ({ url }) => url.replace(/\?.*$/, "") },
  ],
  ["skip goes past the cache", never(control("max-age=10")), { skip: () => true }],
  [
    "a later no-store takes the place of what is stale",
    [
      { by: "handler", answer: control("max-age=1, stale-if-error=60") },
      { by: "handler", after: "2s", answer: control("no-store") },
      { by: "handler", after: "2s", status: 500, answer: { status: 500 } },
    ],
  ],
];

const REQUESTS: Case[] = [
  ["no-cache", then("max-age=10", { by: "handler", headers: { "cache-control": "no-cache" } })],
  [
    "Pragma: no-cache, where there is no Cache-Control",
    then("max-age=10", { by: "handler", headers: { pragma: "no-cache" } }),
  ],
  [
    "no-cache stores what it gets",
    [
      ...then("max-age=10", {
        by: "handler",
        body: "2",
        headers: { "cache-control": "no-cache" },
        answer: control("max-age=10"),
      }),
      { by: "cache", body: "2" },
    ],
  ],
  ["max-age=0", then("max-age=10", { by: "handler", headers: { "cache-control": "max-age=0" } })],
  [
    "max-age of more than the age",
    then("max-age=10", { ...hit, after: "2s", headers: { "cache-control": "max-age=3" } }),
  ],
  [
    "max-age of less than the age",
    then("max-age=10", { by: "handler", after: "4s", headers: { "cache-control": "max-age=3" } }),
  ],
  ["min-fresh", then("max-age=10", { by: "handler", after: "5s", headers: { "cache-control": "min-fresh=6" } })],
  ["min-fresh that there is", then("max-age=10", { ...hit, after: "5s", headers: { "cache-control": "min-fresh=4" } })],
  [
    "max-stale takes a stale one, which is replaced",
    then("max-age=1", { by: "both", body: "1", after: "3s", headers: { "cache-control": "max-stale=5" } }),
  ],
  [
    "max-stale that is too short",
    then("max-age=1", { by: "handler", after: "9s", headers: { "cache-control": "max-stale=5" } }),
  ],
  [
    "max-stale against must-revalidate",
    then("max-age=1, must-revalidate", { by: "handler", after: "2s", headers: { "cache-control": "max-stale=5" } }),
  ],
  [
    "max-stale against s-maxage",
    then("s-maxage=1", { by: "handler", after: "2s", headers: { "cache-control": "max-stale=5" } }),
  ],
  ["no-store goes past the cache", then("max-age=10", { by: "handler", headers: { "cache-control": "no-store" } })],
  [
    "only-if-cached with nothing",
    [{ by: "cache", status: 504, body: "", headers: { "cache-control": "only-if-cached" } }],
  ],
  ["only-if-cached with something", then("max-age=10", { ...hit, headers: { "cache-control": "only-if-cached" } })],
  [
    "a client is not obeyed",
    then("max-age=10", { ...hit, headers: { "cache-control": "no-cache" } }),
    { clientDirectives: false },
  ],
  ["Range goes past the cache", then("max-age=10", { by: "handler", headers: { range: "bytes=0-1" } })],
];

const tagged = (etag: string, value = "max-age=10"): HandlerResponse => control(value, { etag });

const CONDITIONS: Case[] = [
  [
    "If-None-Match: 304 from the cache",
    [
      { by: "handler", answer: tagged('"a"') },
      {
        by: "cache",
        status: 304,
        body: "",
        headers: { "if-none-match": '"a"' },
        has: { etag: '"a"', "cache-control": "max-age=10", "content-type": undefined },
      },
    ],
  ],
  [
    "If-None-Match in a list, weak",
    [
      { by: "handler", answer: tagged('W/"a"') },
      { by: "cache", status: 304, headers: { "if-none-match": '"x", "a"' } },
    ],
  ],
  [
    "If-None-Match: *",
    [
      { by: "handler", answer: tagged('"a"') },
      { by: "cache", status: 304, headers: { "if-none-match": "*" } },
    ],
  ],
  [
    "If-None-Match that does not match",
    [
      { by: "handler", answer: tagged('"a"') },
      { ...hit, status: 200, headers: { "if-none-match": '"b"' } },
    ],
  ],
  [
    "If-None-Match goes before If-Modified-Since",
    [
      { by: "handler", answer: control("max-age=10", { etag: '"a"', "last-modified": date(0) }) },
      { ...hit, headers: { "if-none-match": '"b"', "if-modified-since": date(5_000) } },
    ],
  ],
  [
    "If-Modified-Since",
    [
      { by: "handler", answer: control("max-age=10", { "last-modified": date(5_000) }) },
      { by: "cache", status: 304, headers: { "if-modified-since": date(5_000) } },
      { ...hit, status: 200, headers: { "if-modified-since": date(4_000) } },
    ],
  ],
  [
    "a miss with a condition stores all, and answers 304",
    [
      {
        by: "handler",
        answer: tagged('"a"'),
        status: 304,
        body: "",
        headers: { "if-none-match": '"a"' },
        asked: { "if-none-match": undefined },
      },
      { ...hit, status: 200 },
    ],
  ],
  [
    "a stale one is validated: 304 of the handler makes it fresh",
    [
      { by: "handler", answer: control("max-age=10", { etag: '"a"', "x-v": "1" }) },
      {
        by: "handler",
        after: "11s",
        asked: { "if-none-match": '"a"' },
        answer: { status: 304, headers: { "cache-control": "max-age=20", "x-v": "2" } },
        status: 200,
        body: "1",
        has: { "x-v": "2", etag: '"a"' },
      },
      { ...hit, after: "15s", has: { "x-v": "2" } },
    ],
  ],
  [
    "a stale one is validated: another takes its place",
    [
      { by: "handler", answer: tagged('"a"') },
      { by: "handler", after: "11s", asked: { "if-none-match": '"a"' }, answer: tagged('"b"'), body: "2" },
      { by: "cache", body: "2" },
    ],
  ],
  [
    "by Last-Modified",
    [
      { by: "handler", answer: control("max-age=1", { "last-modified": date(5_000) }) },
      {
        by: "handler",
        after: "2s",
        asked: { "if-modified-since": date(5_000) },
        answer: { status: 304 },
        status: 200,
        body: "1",
      },
    ],
  ],
  [
    "no-cache: validated each time",
    [
      { by: "handler", answer: tagged('"a"', "no-cache") },
      {
        by: "handler",
        after: "10ms",
        asked: { "if-none-match": '"a"' },
        answer: { status: 304 },
        status: 200,
        body: "1",
      },
      {
        by: "handler",
        after: "10ms",
        asked: { "if-none-match": '"a"' },
        answer: { status: 304 },
        status: 200,
        body: "1",
      },
    ],
  ],
  [
    "no-cache of the client validates",
    [
      { by: "handler", answer: tagged('"a"') },
      {
        by: "handler",
        headers: { "cache-control": "no-cache" },
        asked: { "if-none-match": '"a"' },
        answer: { status: 304 },
        status: 200,
        body: "1",
      },
    ],
  ],
  [
    "the client's condition is not the handler's while a stale one is validated",
    [
      { by: "handler", answer: tagged('"a"') },
      {
        by: "handler",
        after: "11s",
        headers: { "if-none-match": '"z"' },
        asked: { "if-none-match": '"a"' },
        answer: { status: 304 },
        status: 200,
        body: "1",
      },
    ],
  ],
  [
    "kept for keep, and no longer",
    [
      { by: "handler", answer: tagged('"a"') },
      { by: "handler", after: "30s", asked: { "if-none-match": undefined } },
    ],
    { keep: "10s" },
  ],
];

const language = (value: string): { "accept-language": string } => ({ "accept-language": value });
const varied = control("max-age=10", { vary: "Accept-Language" });

const VARIANTS: Case[] = [
  [
    "the same value",
    [
      { by: "handler", headers: language("de"), answer: varied },
      { ...hit, headers: language("de") },
    ],
  ],
  [
    "another value",
    [
      { by: "handler", headers: language("de"), answer: varied },
      { by: "handler", headers: language("fr"), answer: varied },
      { ...hit, headers: language("de") },
      { by: "cache", body: "2", headers: language("fr") },
    ],
  ],
  ["no value", [{ by: "handler", headers: language("de"), answer: varied }, { by: "handler" }]],
  [
    "no value, stored",
    [{ by: "handler", answer: varied }, { by: "handler", headers: language("de"), answer: varied }, hit],
  ],
  [
    "spaces and other fields do not matter",
    [
      { by: "handler", headers: language("de, fr"), answer: varied },
      { ...hit, headers: { ...language("de,fr"), "x-a": "1" } },
    ],
  ],
  [
    "two fields",
    [
      { by: "handler", headers: { a: "1", b: "1" }, answer: control("max-age=10", { vary: "A, B" }) },
      { by: "handler", headers: { a: "1", b: "2" }, answer: control("max-age=10", { vary: "A, B" }) },
      { ...hit, headers: { a: "1", b: "1" } },
    ],
  ],
  [
    "a field that comes up later",
    [
      { by: "handler", headers: { a: "1", b: "1" }, answer: control("max-age=10", { vary: "A" }) },
      { by: "handler", headers: { a: "2", b: "1" }, answer: control("max-age=10", { vary: "A, B" }) },
      { by: "handler", headers: { a: "2", b: "1" }, answer: control("max-age=10", { vary: "A, B" }), body: "3" },
      { by: "cache", body: "3", headers: { a: "2", b: "1" } },
      { by: "handler", headers: { a: "2", b: "2" } },
    ],
  ],
  [
    "variants are bounded",
    [
      { by: "handler", headers: language("de"), answer: varied },
      { by: "handler", headers: language("fr"), answer: varied },
      { by: "handler", headers: language("fr"), after: "2s", answer: varied },
      { ...hit, headers: language("de") },
    ],
    { maxVariants: 1 },
  ],
  [
    "one is stale, the other is not",
    [
      { by: "handler", headers: language("de"), answer: varied },
      { by: "handler", after: "5s", headers: language("fr"), answer: varied },
      { by: "handler", after: "6s", headers: language("de"), answer: varied },
      { by: "cache", body: "2", headers: language("fr") },
    ],
  ],
];

const STALE: Case[] = [
  [
    "stale-while-revalidate: served, and replaced",
    [
      { by: "handler", answer: control("max-age=10, stale-while-revalidate=60") },
      { by: "both", body: "1", after: "15s", answer: control("max-age=10") },
      { by: "cache", body: "2" },
    ],
  ],
  [
    "stale-while-revalidate with s-maxage",
    then("s-maxage=1, stale-while-revalidate=60", { by: "both", body: "1", after: "15s" }),
  ],
  [
    "stale-while-revalidate that is over",
    then("max-age=10, stale-while-revalidate=60", { by: "handler", after: "71s" }),
  ],
  [
    "stale-while-revalidate against must-revalidate",
    then("max-age=10, must-revalidate, stale-while-revalidate=60", { by: "handler", after: "15s" }),
  ],
  [
    "stale-if-error: 503",
    then("max-age=10, stale-if-error=60", { ...hit, by: "both", status: 200, after: "15s", answer: { status: 503 } }),
  ],
  [
    "stale-if-error: the handler throws",
    then("max-age=10, stale-if-error=60", { ...hit, by: "both", status: 200, after: "15s", answer: "throws" }),
  ],
  [
    "stale-if-error: the handler is left alone for a second",
    [
      ...then("max-age=10, stale-if-error=60", { ...hit, by: "both", after: "15s", answer: { status: 503 } }),
      { ...hit, after: "500ms" },
      { by: "handler", after: "2s", body: "3" },
    ],
  ],
  [
    "stale-if-error that is over",
    then("max-age=10, stale-if-error=60", { by: "handler", status: 503, after: "71s", answer: { status: 503 } }),
  ],
  ["no stale-if-error: 503", then("max-age=10", { by: "handler", status: 503, after: "15s", answer: { status: 503 } })],
  [
    "no stale-if-error: the handler throws",
    then("max-age=10", { by: "handler", status: 500, after: "15s", answer: "throws" }),
  ],
  [
    "must-revalidate against an error",
    then("max-age=10, must-revalidate, stale-if-error=60", {
      by: "handler",
      status: 503,
      after: "15s",
      answer: { status: 503 },
    }),
  ],
];

const stored = { by: "handler", path: "/a", answer: control("max-age=100") } as const;
const METHODS: Case[] = [
  ...["POST", "PUT", "DELETE", "PATCH", "M-SEARCH"].map((method): Case => [
    `${method} invalidates`,
    [stored, { by: "handler", method, path: "/a" }, { by: "handler", path: "/a" }],
  ]),
  [
    "POST that fails does not",
    [
      stored,
      { by: "handler", method: "POST", path: "/a", status: 500, answer: { status: 500 } },
      { ...hit, path: "/a" },
    ],
  ],
  ["POST of another URL does not", [stored, { by: "handler", method: "POST", path: "/b" }, { ...hit, path: "/a" }]],
  [
    "POST invalidates Location and Content-Location",
    [
      stored,
      { ...stored, path: "/c" },
      {
        by: "handler",
        method: "POST",
        path: "/b",
        answer: { status: 201, headers: { location: "/a", "content-location": "/c" } },
        status: 201,
      },
      { by: "handler", path: "/a" },
      { by: "handler", path: "/c" },
    ],
  ],
  [
    "POST invalidates all variants",
    [
      { by: "handler", path: "/a", headers: language("de"), answer: varied },
      { by: "handler", path: "/a", headers: language("fr"), answer: varied },
      { by: "handler", path: "/a", method: "POST" },
      { by: "handler", path: "/a", headers: language("fr"), answer: varied },
      { by: "handler", path: "/a", headers: language("de"), answer: varied },
    ],
  ],
  [
    "POST is not stored",
    [
      { by: "handler", method: "POST", answer: control("max-age=10") },
      { by: "handler", method: "POST", answer: control("max-age=10") },
    ],
  ],
  ["OPTIONS invalidates nothing", [stored, { by: "handler", method: "OPTIONS", path: "/a" }, { ...hit, path: "/a" }]],
  [
    "HEAD from GET",
    [
      { ...stored, body: "1" },
      {
        by: "cache",
        method: "HEAD",
        path: "/a",
        body: "",
        has: { "content-length": "1", "cache-control": "max-age=100" },
      },
    ],
  ],
  [
    "HEAD is not stored",
    [
      { by: "handler", method: "HEAD", path: "/a", answer: control("max-age=100") },
      { by: "handler", path: "/a" },
    ],
  ],
];

const STATUS: Case[] = [
  [
    "Cache-Status: miss, hit, stale",
    [
      { by: "handler", answer: control("max-age=10"), has: { "cache-status": "Holdfast; fwd=uri-miss; stored" } },
      { by: "cache", after: "4s", has: { "cache-status": "Holdfast; hit; ttl=6" } },
      {
        by: "handler",
        after: "7s",
        answer: control("max-age=10"),
        has: { "cache-status": "Holdfast; fwd=stale; stored" },
      },
    ],
  ],
  [
    "Cache-Status: bypass, not stored",
    [
      { by: "handler", headers: { "cache-control": "no-store" }, has: { "cache-status": "Holdfast; fwd=bypass" } },
      { by: "handler", has: { "cache-status": "Holdfast; fwd=uri-miss" } },
    ],
  ],
  [
    "Cache-Status: another cache's comes first",
    [
      {
        by: "handler",
        answer: control("max-age=10", { "cache-status": "Inner; hit" }),
        has: { "cache-status": "Inner; hit, Holdfast; fwd=uri-miss; stored" },
      },
    ],
  ],
  [
    "Cache-Status: another name",
    [{ by: "handler", has: { "cache-status": /^"my cache"; fwd/ } }],
    { cacheStatus: "my cache" },
  ],
  [
    "Cache-Status: none",
    [
      { by: "handler", answer: control("max-age=10"), has: { "cache-status": undefined } },
      { by: "cache", has: { "cache-status": undefined } },
    ],
    { cacheStatus: false },
  ],
];

const TABLES = { FRESHNESS, STORING, REQUESTS, CONDITIONS, VARIANTS, STALE, METHODS, STATUS };

describe.each(Object.entries(FRAMEWORKS))("RFC 9111 [%s]", (framework, serve) => {
  let server: TestServer;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await createTestServer({ clock: "virtual" });
    hf = await server.connect();
  });
  afterAll(async () => {
    await hf?.close();
    await server?.close();
  });

  const run = async (
    served: Served,
    steps: readonly Step[],
    calls: HandlerRequest[],
    next: (answer: Step["answer"]) => void,
  ) => {
    for (const [at, step] of steps.entries()) {
      const { by, after, method = "GET", path = "/", headers = {}, answer, status, body, has = {}, asked = {} } = step;
      if (after !== undefined) await server.clock.advance(after);
      next(answer);
      const before = calls.length;
      const reply = await send(served.url + path, { method, headers });
      if (by === "both") await expect.poll(() => calls.length).toBe(before + 1);
      const where = `step ${at + 1}: ${String(reply.headers["cache-status"])}`;
      expect({ where, runs: calls.length - before }).toEqual({ where, runs: by === "cache" ? 0 : 1 });
      if (status !== undefined) expect({ where, status: reply.status }).toEqual({ where, status });
      if (body !== undefined) expect({ where, body: reply.body }).toEqual({ where, body });
      for (const [name, value] of Object.entries(has)) {
        if (value instanceof RegExp) expect(reply.headers[name]).toMatch(value);
        else expect({ where, [name]: reply.headers[name] }).toEqual({ where, [name]: value });
      }
      for (const [name, value] of Object.entries(asked))
        expect({ where, [name]: calls.at(-1)!.header(name) }).toEqual({ where, [name]: value });
    }
  };

  for (const [table, cases] of Object.entries(TABLES)) {
    // eslint-disable-next-line vitest/valid-title
    describe(table, () => {
      it.for(cases)("%s", async ([name, steps, options]) => {
        expect(steps.length).toBeGreaterThan(0);
        const calls: HandlerRequest[] = [];
        let answer = undefined as Step["answer"];
        const handler = (request: HandlerRequest): HandlerResponse => {
          calls.push(request);
          if (answer === "throws") throw new Error("the handler's own");
          return { body: String(calls.length), ...answer };
        };
        const served = await serve(hf, handler, { name: `${framework}-${table}-${name}`.slice(0, 200), ...options });
        try {
          await run(served, steps, calls, (given) => {
            answer = given;
          });
        } finally {
          await served.close();
        }
      });
    });
  }
});
