/** A cluster: a table of its slots, kept true by what the nodes answer. */
import { SLOTS, slotOf } from "../slot.ts";
import {
  type Arg,
  type Caller,
  type ChannelKind,
  type Reply,
  type Route,
  type StateEvent,
  TransportError,
} from "../port.ts";
import { backoff } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import type { TransportContext } from "./context.ts";
import { describeFailure, isFinal } from "./failure.ts";
import { Node } from "./node.ts";
import { Refresher } from "./refresher.ts";
import { readRedirection, type SlotRange } from "./slots.ts";
import { askForSlots } from "./slot-survey.ts";
import { type Topology, unknownNode } from "./topology.ts";
import { type Address, addressName, hostOf } from "./url.ts";

/** More than this and the nodes contradict each other; a fresh look at the slots is needed first. */
const MAX_REDIRECTIONS = 5;
/** For a node that a redirection names and that is not connected yet. */
const REDIRECTION_WAIT_MS = 1_000;
/** After the first primary is connected, the others get this long before the cluster counts as open. */
const OTHERS_WAIT_MS = 500;

export class ClusterTopology implements Topology {
  readonly #context: TransportContext;
  readonly #nodes = new Map<string, Node>();
  readonly #owners: (Node | undefined)[] = Array.from({ length: SLOTS });
  readonly #refresher: Refresher;
  readonly #stop = new AbortController();
  /** Of nodes that serve no slots any more: what is under way there is waited for. */
  readonly #leaving = new Set<Promise<void>>();
  /** Where exact and pattern subscriptions are made, while it is up: a message reaches every node of a cluster. */
  #favourite: Node | undefined;
  #turn = 0;

  constructor(context: TransportContext) {
    this.#context = context;
    this.#refresher = new Refresher(
      context.settings.runtime,
      () => this.#refresh(),
      () => this.primaries().every((node) => node.link.connection !== undefined),
    );
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  async open(): Promise<Connection> {
    const { connectTimeoutMs, addresses, client, runtime } = this.#context.settings;
    const giveUpAt = runtime.now() + connectTimeoutMs;
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#openOnce(Math.max(1, giveUpAt - runtime.now()));
      } catch (error) {
        const failure = describeFailure(addresses.map(addressName).join(", "), error, client);
        if (this.isClosed || isFinal(error, client) || runtime.now() >= giveUpAt) throw failure;
        this.#context.failed(failure);
        await backoff(runtime, failures, this.#stop.signal);
      }
    }
  }

  async #openOnce(timeoutMs: number): Promise<Connection> {
    const { client } = this.#context.settings;
    await this.#refresh();
    const nodes = this.primaries();
    const first = await Promise.any(nodes.map((node) => node.link.ready(timeoutMs, (cause) => isFinal(cause, client))));
    await Promise.allSettled(nodes.map((node) => node.link.ready(OTHERS_WAIT_MS)));
    this.#refresher.start();
    this.#refresher.request();
    return first;
  }

  slotOf(key: Arg): number {
    return slotOf(key);
  }

  attempt(args: readonly Arg[], route: Route, caller: Caller): void {
    const node = this.#find(route);
    const connection = node?.link.connection;
    if (connection === undefined) return caller.failed(node?.unreachable() ?? this.#unserved(route));
    connection.sendRaw(args).then(
      (reply) => caller.replied(reply),
      (error: unknown) => void this.#redirect(connection, error, args, caller),
    );
  }

  home(route: Route): Node | undefined {
    return route === undefined ? undefined : this.#find(route);
  }

  nodeFor(route: Route): Node {
    const node = this.#find(route);
    if (node === undefined) throw this.#unserved(route);
    return node;
  }

  homeOf(kind: ChannelKind, channel: string): Node {
    if (kind === "sharded") return this.nodeFor(channel);
    if (this.#favourite === undefined || !isUp(this.#favourite)) this.#favourite = this.#anyPrimary();
    if (this.#favourite === undefined) throw this.#unserved(undefined);
    return this.#favourite;
  }

  primaries(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  learn(node: Address, error: TransportError, answeredBy: Connection): void {
    const isMoved = error.prefix === "MOVED";
    if (isMoved) this.#patch(node, error);
    else if (error.prefix === "CLUSTERDOWN" || error.prefix === "READONLY") this.#refresher.request();
    // A name that sends to itself leads to another server by now than when it was dialled.
    if (error.prefix === "READONLY" || (isMoved && this.#targetOf(node, error)?.id === addressName(node)))
      this.#nodes.get(addressName(node))?.dialAgain(error, answeredBy);
  }

  notice(event: StateEvent): void {
    if (event.state === "down") this.suspect();
  }

  suspect(): void {
    this.#refresher.request();
  }

  async close(): Promise<void> {
    const cause = new Error("closed");
    this.#stop.abort(cause);
    this.#refresher.stop();
    await Promise.all([...this.primaries().map((node) => node.close(cause)), ...this.#leaving]);
  }

  #find(route: Route): Node | undefined {
    if (typeof route === "string" || Buffer.isBuffer(route)) return this.#owners[slotOf(route)];
    return route === undefined ? this.#anyPrimary() : this.#nodes.get(route.node);
  }

  /** In turn, those that are up before those that are not. */
  #anyPrimary(): Node | undefined {
    const nodes = this.primaries();
    const up = nodes.filter(isUp);
    const from = up.length > 0 ? up : nodes;
    this.#turn += 1;
    return from[this.#turn % from.length];
  }

  async #redirect(answeredBy: Connection, error: unknown, args: readonly Arg[], caller: Caller): Promise<void> {
    const redirected = this.#follow(answeredBy, error, args);
    await redirected.then(
      (reply) => caller.replied(reply),
      (failure: TransportError) => caller.failed(failure),
    );
  }

  /** Follows MOVED and ASK; anything else is the attempt's failure. */
  async #follow(answeredBy: Connection, error: unknown, args: readonly Arg[]): Promise<Reply> {
    let connection = answeredBy;
    let failure = connection.explain(error);
    for (let hop = 0; hop < MAX_REDIRECTIONS; hop += 1) {
      const target = this.#targetOf(connection.address, failure);
      if (target === undefined) throw failure;
      connection = await target.link.ready(REDIRECTION_WAIT_MS).catch(() => {
        throw target.unreachable();
      });
      // In one turn with the command, so that nothing comes between: ASKING counts for the very next command only.
      if (failure.prefix === "ASK") connection.sendRaw(["ASKING"]).catch(() => undefined);
      try {
        return await connection.sendRaw(args);
      } catch (again) {
        failure = connection.explain(again);
      }
    }
    const message = `redirected ${MAX_REDIRECTIONS} times, at last: ${failure.message}`;
    throw failure.kind === "refused"
      ? new TransportError("refused", message, { prefix: failure.prefix, node: failure.node, cause: failure })
      : failure;
  }

  #targetOf(answeredBy: Address, failure: TransportError): Node | undefined {
    const redirection = readRedirection(failure.message, hostOf(answeredBy));
    if (redirection === undefined || this.isClosed) return undefined;
    return this.#ensure(this.#context.settings.reach(redirection.host, redirection.port));
  }

  /** The one slot at once, all of them soon: where one slot has moved there are mostly more. */
  #patch(node: Address, moved: TransportError): void {
    const redirection = readRedirection(moved.message, hostOf(node));
    const target = this.#targetOf(node, moved);
    if (redirection === undefined || target === undefined) return;
    if (this.#owners[redirection.slot] !== target) {
      this.#owners[redirection.slot] = target;
      this.#context.slotsMoved(moved);
    }
    this.#refresher.request();
  }

  async #refresh(): Promise<void> {
    const { settings } = this.#context;
    const seeds = [...settings.addresses, ...this.primaries().map(({ address }) => address)];
    const connected = this.primaries().flatMap(({ link }) => link.connection ?? []);
    const ranges = await askForSlots(settings, connected, seeds, this.#stop.signal);
    if (ranges.length > 0 && !this.isClosed) this.#apply(ranges);
  }

  #apply(ranges: readonly SlotRange[]): void {
    const { reach } = this.#context.settings;
    const serving = new Set<Node>();
    const owners: (Node | undefined)[] = Array.from({ length: SLOTS });
    for (const { first, last, host, port } of ranges) {
      const node = this.#ensure(reach(host, port));
      serving.add(node);
      owners.fill(node, first, last + 1);
    }
    const changed = this.#owners.some((owner, slot) => owner !== undefined && owner !== owners[slot]);
    for (const [slot, owner] of owners.entries()) this.#owners[slot] = owner;
    for (const node of this.#nodes.values()) if (!serving.has(node)) this.#dismiss(node);
    if (changed) this.#context.slotsMoved(new Error("slots have moved to other nodes"));
  }

  #ensure(address: Address): Node {
    const id = addressName(address);
    let node = this.#nodes.get(id);
    if (node === undefined) {
      node = new Node(this.#context, address, async () => address, false);
      this.#nodes.set(id, node);
      node.link.start();
    }
    return node;
  }

  #dismiss(node: Node): void {
    this.#nodes.delete(node.id);
    this.#context.emit({ state: "closed", node: node.id, epoch: node.link.epoch });
    const left = node.close(new Error(`${node.id} serves no slots any more`));
    this.#leaving.add(left);
    void left.then(() => this.#leaving.delete(left));
  }

  #unserved(route: Route): TransportError {
    if (this.isClosed) return new TransportError("closed", "the connection was closed");
    this.#refresher.request();
    if (typeof route === "object" && !Buffer.isBuffer(route)) return unknownNode(route);
    const what = route === undefined ? "no primary is known" : `no node serves slot ${slotOf(route)}`;
    return new TransportError("refused", `${what} at present`, { prefix: "CLUSTERDOWN" });
  }
}

function isUp(node: Node): boolean {
  return node.link.connection !== undefined;
}
