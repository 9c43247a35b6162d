/** One primary: a standalone server, or the one that the sentinels name. */
import type { Arg, Caller, ChannelKind, Route, TransportError } from "../port.ts";
import type { Connection } from "./connection.ts";
import type { TransportContext } from "./context.ts";
import { describeFailure, isFinal } from "./failure.ts";
import { Node } from "./node.ts";
import { Sentinels } from "./sentinels.ts";
import { type Topology, unknownNode } from "./topology.ts";
import { type Address, addressName } from "./url.ts";

export class SingleTopology implements Topology {
  readonly #context: TransportContext;
  readonly #node: Node;
  readonly #sentinels: Sentinels | undefined;
  readonly #where: string;

  constructor(context: TransportContext) {
    const { settings } = context;
    this.#context = context;
    this.#where = settings.addresses.map(addressName).join(", ");
    if (settings.mode === "sentinel") {
      const sentinels = new Sentinels(settings, (address) => this.#movedTo(address));
      this.#sentinels = sentinels;
      // Only until the first answer of a sentinel does it go by a sentinel's address.
      this.#node = new Node(context, settings.addresses[0]!, (signal) => sentinels.primary(signal), true);
    } else {
      const address = settings.addresses[0]!;
      this.#node = new Node(context, address, async () => address, false);
    }
  }

  get isClosed(): boolean {
    return this.#node.link.isClosed;
  }

  async open(): Promise<Connection> {
    const { connectTimeoutMs, client } = this.#context.settings;
    try {
      const connection = await this.#node.link.start().ready(connectTimeoutMs, (cause) => {
        this.#context.failed(describeFailure(this.#where, cause, client));
        return isFinal(cause, client);
      });
      this.#sentinels?.follow();
      return connection;
    } catch (error) {
      throw describeFailure(this.#where, error, client);
    }
  }

  slotOf(): number {
    return 0;
  }

  attempt(args: readonly Arg[], route: Route, caller: Caller): void {
    if (isForeign(route, this.#node)) caller.failed(unknownNode(route));
    else this.#node.attempt(args, caller);
  }

  home(route: Route): Node | undefined {
    return isForeign(route, this.#node) ? undefined : this.#node;
  }

  nodeFor(route: Route): Node {
    if (isForeign(route, this.#node)) throw unknownNode(route);
    return this.#node;
  }

  homeOf(_kind: ChannelKind, _channel: string): Node {
    return this.#node;
  }

  primaries(): readonly Node[] {
    return [this.#node];
  }

  /**
   * A primary that became a replica answers READONLY. The sentinels know the new one; where there are none, the name
   * may lead elsewhere by now.
   */
  learn(_node: Address, error: TransportError, answeredBy: Connection): void {
    if (error.prefix === "READONLY") this.#node.dialAgain(error, answeredBy);
  }

  notice(): void {}

  suspect(): void {}

  async close(): Promise<void> {
    const cause = new Error("closed");
    await Promise.all([this.#sentinels?.close(cause), this.#node.close(cause)]);
  }

  #movedTo(address: string): void {
    const { link, id } = this.#node;
    if (address !== id) link.drop(new Error(`the sentinels made ${address} the primary`));
  }
}

function isForeign(route: Route, node: Node): route is { readonly node: string } {
  return typeof route === "object" && !Buffer.isBuffer(route) && route.node !== node.id;
}
