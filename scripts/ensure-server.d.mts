export interface ServerBinary {
  readonly name: "redis-server" | "valkey-server";
  readonly path: string;
  /** As the program says it, such as `7.0.15`. */
  readonly version: string;
}

export declare function findServer(): ServerBinary | undefined;
export declare function ensureServer(): ServerBinary;
