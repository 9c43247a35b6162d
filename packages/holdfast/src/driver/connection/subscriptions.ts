/**
 * Subscriptions: on connections of their own, one per node where there is something to listen to, opened with the
 * first and closed with the last. A lost one is made again, where the channel is then served, and its listeners are
 * told of the gap.
 */
import { type ChannelKind, type ChannelListener, type StateEvent, type Subscription, TransportError } from "../port.ts";
import { backoff } from "./backoff.ts";
import { SubscribedChannel, type Member } from "./channel.ts";
import type { Connection } from "./connection.ts";
import type { TransportContext } from "./context.ts";
import { Link } from "./link.ts";
import type { Node } from "./node.ts";
import type { Topology } from "./topology.ts";

/** The subscriber connection of one node, and the channels that are or are being subscribed there. */
interface Post {
  readonly link: Link;
  readonly channels: Set<SubscribedChannel>;
}

export class Subscriptions {
  readonly #context: TransportContext;
  readonly #topology: Topology;
  readonly #channels = new Map<string, SubscribedChannel>();
  readonly #posts = new Map<Node, Post>();
  readonly #stop = new AbortController();

  constructor(context: TransportContext, topology: Topology) {
    this.#context = context;
    this.#topology = topology;
  }

  /** One SUBSCRIBE, PSUBSCRIBE or SSUBSCRIBE for the first listener of a channel. Rejects with a TransportError. */
  async add(kind: ChannelKind, name: string, listener: ChannelListener): Promise<Subscription> {
    const channel = this.#channelFor(kind, name);
    const member: Member = { listener };
    channel.members.add(member);
    try {
      await this.#establish(channel);
    } catch (error) {
      await this.#leave(channel, member);
      throw error;
    }
    let leaving: Promise<void> | undefined;
    return { close: () => (leaving ??= this.#leave(channel, member)) };
  }

  /** After a failover the connection may still stand, to a server that is not the primary any more. */
  notice(event: StateEvent): void {
    for (const [node, { link }] of this.#posts) {
      if (node.id !== event.node || link.connection === undefined) continue;
      if (event.state === "closed" || link.connection.node !== node.id) {
        link.connection.destroy(new Error(`${link.connection.node} is not the node to listen to any more`));
      }
    }
  }

  /**
   * The server's own word that a sharded channel has left its node can be missed: node-redis takes it for an answer
   * while another command, a ping for one, is under way on the connection.
   */
  reconcile(cause: unknown): void {
    for (const [node, { channels }] of this.#posts) {
      const gone = [...channels].filter((channel) => channel.kind === "sharded" && this.#homeOf(channel) !== node);
      this.#lost(gone, cause);
    }
  }

  async close(): Promise<void> {
    const cause = new Error("closed");
    this.#stop.abort(cause);
    this.#channels.clear();
    await Promise.all([...this.#posts.values()].map(({ link }) => link.close(0, cause)));
    this.#posts.clear();
  }

  #channelFor(kind: ChannelKind, name: string): SubscribedChannel {
    const id = `${kind}:${name}`;
    const known = this.#channels.get(id) ?? new SubscribedChannel(kind, name);
    this.#channels.set(id, known);
    return known;
  }

  async #establish(channel: SubscribedChannel): Promise<void> {
    if (channel.home !== undefined) return;
    channel.establishing ??= this.#subscribe(channel).finally(() => {
      channel.establishing = undefined;
    });
    await channel.establishing;
  }

  async #subscribe(channel: SubscribedChannel): Promise<void> {
    const node = this.#topology.homeOf(channel.kind, channel.name);
    const post = this.#postAt(node);
    post.channels.add(channel);
    for (const other of this.#posts.keys()) if (other !== node) this.#vacate(other, channel);
    try {
      const connection = await post.link
        .ready(this.#context.settings.connectTimeoutMs, () => true)
        .catch((cause) => {
          throw this.#unreachable(node, cause);
        });
      await channel.subscribeOn(connection).catch((error: unknown) => {
        throw connection.explain(error);
      });
    } catch (error) {
      this.#vacate(node, channel);
      throw error;
    }
  }

  async #leave(channel: SubscribedChannel, member: Member): Promise<void> {
    channel.members.delete(member);
    // A try under way would otherwise leave a subscription behind that nobody wants.
    await channel.establishing?.catch(() => undefined);
    if (channel.members.size > 0) return;
    const id = `${channel.kind}:${channel.name}`;
    if (this.#channels.get(id) === channel) this.#channels.delete(id);
    await channel.unsubscribe();
    for (const node of this.#posts.keys()) this.#vacate(node, channel);
  }

  #postAt(node: Node): Post {
    const present = this.#posts.get(node);
    if (present !== undefined) return present;
    const post: Post = {
      channels: new Set(),
      link: new Link(this.#context.settings.runtime, {
        dial: async (signal) => {
          const connection = await node.dial("subscriber", signal);
          connection.client.on("sharded-channel-moved", (name) => this.#shardMoved(connection, name));
          return connection;
        },
        down: (cause) => this.#lost([...post.channels], cause),
      }),
    };
    this.#posts.set(node, post);
    post.link.start();
    return post;
  }

  /** The last channel closes the connection behind it. */
  #vacate(node: Node, channel: SubscribedChannel): void {
    const post = this.#posts.get(node);
    if (post?.channels.delete(channel) !== true || post.channels.size > 0) return;
    this.#posts.delete(node);
    void post.link.close(0, new Error("nobody listens any more"));
  }

  /** The server has unsubscribed us, because the channel's slot is not its own any more. */
  #shardMoved(connection: Connection, name: string): void {
    this.#topology.suspect();
    const channel = this.#channels.get(`sharded:${name}`);
    if (channel?.home === connection) this.#lost([channel], new Error(`the slot of ${name} has moved to another node`));
  }

  #lost(channels: readonly SubscribedChannel[], cause: unknown): void {
    for (const channel of channels) {
      // One that is not confirmed yet fails in its own try.
      if (channel.home === undefined) continue;
      channel.lose(cause);
      void this.#restore(channel);
    }
  }

  async #restore(channel: SubscribedChannel): Promise<void> {
    if (channel.restoring) return;
    channel.restoring = true;
    for (let failures = 0; channel.home === undefined && this.#isWanted(channel); failures += 1) {
      if (failures > 0) await backoff(this.#context.settings.runtime, failures, this.#stop.signal);
      await this.#establish(channel).catch(() => undefined);
    }
    channel.restoring = false;
    if (channel.home !== undefined) channel.reportGap();
  }

  #homeOf(channel: SubscribedChannel): Node | undefined {
    try {
      return this.#topology.homeOf(channel.kind, channel.name);
    } catch {
      return undefined;
    }
  }

  #isWanted(channel: SubscribedChannel): boolean {
    return channel.members.size > 0 && !this.#stop.signal.aborted;
  }

  #unreachable(node: Node, cause: unknown): TransportError {
    if (this.#stop.signal.aborted) return new TransportError("closed", "the connection was closed", { node: node.id });
    const why = cause instanceof Error ? cause.message : String(cause);
    return new TransportError("refused", `no connection to ${node.id} for subscriptions: ${why}`, {
      node: node.id,
      cause,
    });
  }
}
