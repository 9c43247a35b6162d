import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { oneWritePerTurn } from "./write-together.ts";

let server: Server;

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(() => server.close());

/** What comes back from an echo of pieces that were written in one turn, and how many the socket handed over at once. */
async function echo(pieces: readonly (string | Buffer)[]): Promise<{ bytes: Buffer; handedOver: number[] }> {
  const handedOver: number[] = [];
  const writev: typeof oneWritePerTurn.writev = function (together, done) {
    handedOver.push(together.length);
    oneWritePerTurn.writev.call(this, together, done);
  };
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", port, writev } as Parameters<typeof connect>[0] & object);
  await once(socket, "connect");
  socket.cork();
  for (const piece of pieces) socket.write(piece);
  socket.uncork();
  socket.end();
  return { bytes: Buffer.concat((await socket.toArray()) as Buffer[]), handedOver };
}

function together(pieces: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
}

const BINARY = Buffer.from([0xff, 0xfe, 0x00, 0x0d, 0x0a, 0xc3]);

it.each<[string, (string | Buffer)[]]>([
  ["strings", ["*1\r\n$4\r\nPING\r\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "*1\r\n$4\r\nPING\r\n"]],
  ["characters of every length", ["$2\r\né\r\n", "$3\r\n€\r\n", "$4\r\n𝄞\r\n"]],
  ["strings and bytes", ["$6\r\n", BINARY, "\r\n$6\r\n", BINARY, "\r\n"]],
  ["more than is joined", ["a".repeat(200_000), "b".repeat(200_000), "é".repeat(200_000)]],
])("%s arrive as they were written, in one go", async (_, pieces) => {
  const { bytes, handedOver } = await echo(pieces);
  expect(bytes.equals(together(pieces))).toBe(true);
  expect(handedOver).toEqual([pieces.length]);
});
