/**
 * A process for transfer.test.ts that moves money and is killed, by SIGKILL, when the n-th request of a kind is on the wire: the server carries it
 * out, and nobody hears of it. Arguments: the part, what is sent, n, the cluster's URL, the prefix, transfers as JSON.
 */
import { Socket } from "node:net";
import { connect } from "holdfast";
import { Bank, type Transfer } from "./transfer.ts";

const [part = "", word = "", count = "1", url = "", prefix = "", orders = "[]"] = process.argv.slice(2);

let left = Number(count);
const write = Reflect.get(Socket.prototype, "write") as (...args: unknown[]) => boolean;
if (word !== "") {
  Socket.prototype.write = function watched(this: Socket, ...args: unknown[]): boolean {
    const isSent = Reflect.apply(write, this, args);
    if (String(args[0]).includes(word) && (left -= 1) === 0) {
      // What was written is gathered, and leaves within this tick. No answer is read any more.
      setImmediate(() => process.kill(process.pid, "SIGKILL"));
      this.removeAllListeners("data").pause();
    }
    return isSent;
  };
}

const hf = await connect(url, { prefix });
const bank = new Bank(hf);
for (const [id, order] of JSON.parse(orders) as [string, Transfer][]) {
  if (part !== "settle") await bank.transfer(id, order).catch(() => undefined);
  if (part !== "transfer") await bank.settle();
  process.send?.(id);
}
await hf.close();
process.exit(0);
