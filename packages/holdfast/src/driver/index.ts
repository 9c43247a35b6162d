/** What the floors above use of the transports. */
export { type BorrowedClient, type OwnOptions } from "./node-redis/borrowed-client.ts";
export { createBorrowedTransport } from "./node-redis/borrowed.ts";
export { openTransport } from "./node-redis/open.ts";
export { type ConnectionOptions, type Credentials, type TlsOptions } from "./node-redis/options.ts";
