/** Why no connection could be made, in words that say what to do about it. */
import { HoldfastError } from "../../base/errors.ts";
import type { ClientKind } from "./raw-client.ts";

interface Diagnosis {
  readonly code: "AUTH" | "PERMISSION" | "SERVER" | "UNAVAILABLE" | "UNSUPPORTED";
  readonly advice: string;
  /** Trying again fails the same way until somebody changes a setting. */
  readonly final: boolean;
}

const BY_PREFIX: Readonly<Record<string, Diagnosis>> = {
  WRONGPASS: { code: "AUTH", advice: "check the user name and the password", final: true },
  NOAUTH: {
    code: "AUTH",
    advice: "the server asks for a password: give one in the URL or in the options",
    final: true,
  },
  NOPERM: {
    code: "PERMISSION",
    advice: "the user lacks a permission that connecting needs (see ACL LOG)",
    final: true,
  },
  NOPROTO: {
    code: "UNSUPPORTED",
    advice: "the server does not speak RESP3: Redis 7.0 or Valkey 7.2 is needed",
    final: true,
  },
  LOADING: { code: "UNAVAILABLE", advice: "the server is still loading its data", final: false },
  BUSY: { code: "UNAVAILABLE", advice: "the server is busy with a slow script; SCRIPT KILL ends it", final: false },
};

const BY_MESSAGE: readonly (readonly [RegExp, Diagnosis])[] = [
  [
    /AUTH.*without any password configured/i,
    { code: "AUTH", advice: "the server has no password: leave it out", final: true },
  ],
  [/DB index is out of range/i, { code: "SERVER", advice: "check the database number", final: true }],
  [
    /SELECT is not allowed/i,
    { code: "SERVER", advice: "a cluster of this server has only database 0: leave the number out", final: true },
  ],
  [
    /cluster support disabled/i,
    { code: "SERVER", advice: "the server is not part of a cluster: use redis://", final: true },
  ],
  [
    /unknown command/i,
    { code: "UNSUPPORTED", advice: "the server does not speak RESP3: Redis 7.0 or Valkey 7.2 is needed", final: true },
  ],
  [
    /max number of clients/i,
    { code: "UNAVAILABLE", advice: "the server has no connection to spare (maxclients)", final: false },
  ],
];

const NOT_REDIS: Diagnosis = {
  code: "UNAVAILABLE",
  advice: "what listens there is not a Redis or Valkey server",
  final: true,
};

const CERTIFICATE =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|.*SELF_SIGNED.*|UNABLE_TO_.*|CERT_.*|HOSTNAME_MISMATCH|ERR_SSL_.*CERT.*)$/;

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: check host and port, and that the server runs",
  ENOTFOUND: "the host name does not resolve: check its spelling and the DNS",
  EAI_AGAIN: "the host name could not be resolved just now: check the DNS",
  ETIMEDOUT: "no answer: check host, port, firewalls, that the server is not stopped, and whether it speaks TLS",
  EHOSTUNREACH: "there is no way to that host: check the network",
  ENETUNREACH: "there is no way to that network: check the network",
  ENOPRIMARY: "check the sentinels' addresses and password, and the master's name",
  ENOENT: "there is no such socket file",
  EACCES: "this process may not open the socket",
};

/** Of several failures the one that time alone will not mend, else the first, unless they have a code in common. */
function mostTelling(cause: unknown, kind: ClientKind): unknown {
  if (!(cause instanceof AggregateError)) return undefined;
  const final: unknown = cause.errors.find((each) => diagnose(each, kind).final);
  return final ?? (codeOf(cause) === "" ? cause.errors[0] : undefined);
}

/** The error for a user. `where` names the address that was tried. */
export function describeFailure(where: string, cause: unknown, kind: ClientKind): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const { code, advice, final } = diagnose(cause, kind);
  const message = `cannot connect to ${where}: ${messageOf(cause)}; ${advice}`;
  return new HoldfastError(code, message, { cause, retryable: !final });
}

/** True where trying again cannot help. */
export function isFinal(cause: unknown, kind: ClientKind): boolean {
  return cause instanceof HoldfastError ? !cause.retryable : diagnose(cause, kind).final;
}

function diagnose(cause: unknown, kind: ClientKind): Diagnosis {
  const telling = mostTelling(cause, kind);
  if (telling !== undefined) return diagnose(telling, kind);
  const prefix = kind.prefixOf(cause);
  const message = messageOf(cause);
  const known = BY_PREFIX[prefix] ?? BY_MESSAGE.find(([pattern]) => prefix !== "" && pattern.test(message))?.[1];
  if (known !== undefined) return known;
  if (prefix !== "") return { code: "SERVER", advice: "the server refused the connection", final: false };
  if (message.startsWith("Unknown RESP type")) return NOT_REDIS;

  const code = codeOf(cause);
  if (code === "EUNKNOWNMASTER") {
    return { code: "UNAVAILABLE", advice: "check the master's name, the sentinels watch no such one", final: true };
  }
  if (code.endsWith("CERTIFICATE_REQUIRED")) {
    return { code: "AUTH", advice: "the server asks for a client certificate: give tls.cert and tls.key", final: true };
  }
  if (CERTIFICATE.test(code)) {
    return { code: "AUTH", advice: "check tls.ca, tls.servername and the server's certificate", final: true };
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return {
      code: "UNAVAILABLE",
      advice: "the port does not speak TLS as asked: check rediss:// and the client certificate",
      final: true,
    };
  }
  const advice =
    BY_CODE[code] ?? "the connection was closed: check the port, and rediss:// where the server speaks TLS";
  return { code: "UNAVAILABLE", advice, final: false };
}

/** What an error says; for several the reasons of all, each once. */
export function messageOf(cause: unknown): string {
  // Several addresses were tried: Node.js throws an AggregateError without a message, Promise.any one that says nothing.
  if (cause instanceof AggregateError && /^(All promises were rejected)?$/.test(cause.message)) {
    return [...new Set(cause.errors.map(messageOf))].join(", ");
  }
  return cause instanceof Error ? cause.message : String(cause);
}

function codeOf(cause: unknown): string {
  const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "";
}
