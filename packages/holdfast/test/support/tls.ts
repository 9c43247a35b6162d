/** A server that speaks TLS only and knows its users: `default` is off, `app` may do all, `limited` very little. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CertificateAuthority, type Certificate } from "./certificates.ts";
import { freePort } from "./ports.ts";
import { Sandbox } from "./sandbox.ts";
import { ServerProcess, type ServerConfig } from "./server-process.ts";
import { standalone, type Standalone } from "./standalone.ts";

/** Passwords with characters that a URL must escape. */
const USERS = {
  app: { username: "app", password: "p@ss:word/1" },
  /** Every command, on keys and channels `allowed:*` alone. */
  limited: { username: "limited", password: "p@ss:word/2" },
} as const;

const ACL = [
  "default off",
  `app on >${USERS.app.password} ~* &* +@all`,
  `limited on >${USERS.limited.password} ~allowed:* &allowed:* +@all`,
];

export interface TlsOptions {
  /** Whether a client must show a certificate. @default "optional" */
  readonly clientCertificate?: "optional" | "required";
}

export interface TlsServer extends Standalone {
  /** PEM. The server's certificate is for `localhost` and `127.0.0.1`. */
  readonly ca: string;
  readonly caPath: string;
  /** A client's own certificate and key, PEM. */
  readonly client: Certificate;
  readonly users: typeof USERS;
  /** `rediss://` with the user's name and password; `url` is that of `app`. */
  urlFor(user: keyof typeof USERS): string;
}

export async function startTls(options: TlsOptions = {}): Promise<TlsServer> {
  const sandbox = new Sandbox("tls");
  try {
    const port = await freePort();
    const authority = new CertificateAuthority("holdfast test authority");
    const client = authority.issue("holdfast test client");
    const paths = writeFiles(sandbox.dir, authority);
    const config = tlsConfig(port, paths, options.clientCertificate === "required" ? "yes" : "optional");
    const access = { port, ...USERS.app, tls: { ca: authority.cert, ...client } };
    const base = standalone(await ServerProcess.start({ sandbox, port, config, access }), sandbox);
    const urlFor = (user: keyof typeof USERS): string =>
      `rediss://${user}:${encodeURIComponent(USERS[user].password)}@127.0.0.1:${port}`;
    return Object.assign(base, {
      url: urlFor("app"),
      ca: authority.cert,
      caPath: paths.ca,
      client,
      users: USERS,
      urlFor,
    });
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

interface Paths {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

function writeFiles(dir: string, authority: CertificateAuthority): Paths {
  const server = authority.issue("holdfast test server", { dns: ["localhost"], ip: ["127.0.0.1"] });
  const paths = { ca: join(dir, "ca.pem"), cert: join(dir, "server.pem"), key: join(dir, "server.key") };
  writeFileSync(paths.ca, authority.cert);
  writeFileSync(paths.cert, server.cert);
  writeFileSync(paths.key, server.key, { mode: 0o600 });
  return paths;
}

function tlsConfig(port: number, paths: Paths, authClients: "yes" | "optional"): ServerConfig {
  return {
    port: "0",
    "tls-port": String(port),
    "tls-ca-cert-file": `"${paths.ca}"`,
    "tls-cert-file": `"${paths.cert}"`,
    "tls-key-file": `"${paths.key}"`,
    "tls-auth-clients": authClients,
    user: ACL,
  };
}
