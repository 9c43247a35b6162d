/**
 * Late copies. What was written on a connection that is given up can be executed at any later time: when the network
 * comes back, when a stopped server goes on. A repetition that was answered meanwhile would then be undone.
 *
 * So the connection is fenced, not the command: a connection learns at its handshake who it is to its server, and when
 * it ends with answers outstanding, the next connection to that server has it killed before it carries anything:
 *
 *     old  SET k 1 ........... (under way) ............ closed by the server, never executed
 *     new       HELLO, CLIENT INFO, CLIENT KILL ID 7 ADDR 10.0.0.5:4711 -> 1, then SET k 1 again
 *
 * All of it rides in one write, so it costs neither a round trip nor anything per command. On a connection that lives
 * on beside the one that was given up, the kill only has to be written: what is sent later is executed later.
 */
import type { Reply } from "../port.ts";
import type { ClientKind, RawClient } from "./raw-client.ts";

/** A connection as its server knows it. Ids begin again when a server restarts; with the address there is no mistaking. */
export interface Identity {
  readonly id: string;
  readonly address: string;
}

/** Killing nobody shows whether this user may kill at all. */
const NOBODY: Identity = { id: String(Number.MAX_SAFE_INTEGER), address: "0.0.0.0:0" };
/** Nodes that are gone for good leave something behind here; the oldest make room. */
const MAX_NODES = 256;

export class Fences {
  readonly #kind: ClientKind;
  /** By the address that was dialled: connections that the server there must forget before it is sent anything. */
  readonly #owed = new Map<string, Set<Identity>>();
  /** Undefined until a server has answered; false where a user may not, or a proxy lets nobody. */
  #able: boolean | undefined;

  constructor(kind: ClientKind, enabled: boolean) {
    this.#kind = kind;
    this.#able = enabled ? undefined : false;
  }

  /** Whether late copies are fenced off. */
  get able(): boolean {
    return this.#able === true;
  }

  /**
   * Fences off what is owed at the node, and resolves with the identity of this new connection, undefined where that is
   * hidden. Rejects where the server cannot do it now (BUSY): the connection must not be used then.
   */
  async greet(client: RawClient, node: string): Promise<Identity | undefined> {
    if (this.#able === false) return undefined;
    const probe = this.#able === undefined && !this.owes(node) ? this.#kill(client, node, NOBODY) : undefined;
    const [info] = await Promise.all([
      this.#unlessForbidden(client.sendCommand(["CLIENT", "INFO"])),
      this.raise(client, node),
      probe,
    ]);
    const identity = readIdentity(info);
    if (identity === undefined) this.#giveUp();
    else this.#able ??= true;
    return identity;
  }

  /** The connection has ended, and what it carried may still be executed. */
  owe(node: string, identity: Identity): void {
    if (this.#able === false) return;
    const owed = this.#owed.get(node);
    if (owed !== undefined) return void owed.add(identity);
    this.#owed.set(node, new Set([identity]));
    if (this.#owed.size > MAX_NODES) for (const oldest of this.#owed.keys()) return void this.#owed.delete(oldest);
  }

  owes(node: string): boolean {
    return this.#owed.has(node);
  }

  /** Fences off what is owed at the node; what is sent on this connection from here on is behind it. Rejects as `greet`. */
  async raise(client: RawClient, node: string): Promise<void> {
    await Promise.all([...(this.#owed.get(node) ?? [])].map((identity) => this.#kill(client, node, identity)));
  }

  async #kill(client: RawClient, node: string, identity: Identity): Promise<void> {
    const { id, address } = identity;
    // 0 killed is as good: it is gone.
    await this.#unlessForbidden(client.sendCommand(["CLIENT", "KILL", "ID", id, "ADDR", address]));
    const owed = this.#owed.get(node);
    if (owed?.delete(identity) === true && owed.size === 0) this.#owed.delete(node);
  }

  /** Undefined for what this user will never be allowed to do. */
  async #unlessForbidden(reply: Promise<Reply>): Promise<Reply | undefined> {
    try {
      return await reply;
    } catch (error) {
      const prefix = this.#kind.prefixOf(error);
      if (prefix !== "NOPERM" && prefix !== "ERR") throw error;
      this.#giveUp();
      return undefined;
    }
  }

  #giveUp(): void {
    this.#able = false;
    this.#owed.clear();
  }
}

/** `id=7 addr=10.0.0.5:4711 laddr=...` */
function readIdentity(info: Reply | undefined): Identity | undefined {
  const match = /^id=(\d+) addr=(\S+) /.exec(String(info));
  return match === null ? undefined : { id: match[1]!, address: match[2]! };
}
