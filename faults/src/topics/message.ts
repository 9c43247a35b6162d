/** What publishers publish and consumers handle, and what both write down about it. */
import { holdfast, type Holdfast, type Topic } from "holdfast";

export interface Payload {
  /** Of one message, and no other. */
  readonly call: string;
  /** Its place among the messages of its key, from 1. */
  readonly place: number;
  /** Whether its first delivery fails. */
  readonly fails: boolean;
  /** Whether it is to become a dead letter. */
  readonly rejects: boolean;
}

/** Each entry: what happened, at which `ticks()`, and the rest. */
export type PublisherEntry =
  | { readonly what: "publishing"; readonly at: number; readonly key: string; readonly payload: Payload }
  | { readonly what: "published"; readonly at: number; readonly call: string; readonly status: string }
  /** No failover takes these back. */
  | { readonly what: "replicated"; readonly calls: readonly string[] }
  /** After so many attempts with one id nobody knows whether it is there. */
  | { readonly what: "unknown"; readonly at: number; readonly call: string; readonly code: string };

export type Kind = "ordered" | "shared";
/** What consumers subscribe with. */
export const KINDS: readonly Kind[] = ["ordered", "shared"];

/** `rejected`: it asks for a dead letter, or has failed so often that it becomes one. */
export type End = "well" | "thrown" | "rejected";

export type ConsumerEntry =
  | { readonly what: "began"; readonly at: number }
  | {
      readonly what: "started";
      readonly at: number;
      readonly kind: Kind;
      /** Of this process, counted up. */
      readonly run: number;
      readonly call: string;
      readonly partition: number;
      readonly offset: number;
      readonly delivery: number;
      /** Of `ordered`. */
      readonly fence: number;
    }
  | { readonly what: "ended"; readonly at: number; readonly run: number; readonly how: End }
  | {
      readonly what: "gap";
      readonly at: number;
      readonly kind: Kind;
      readonly partition: number;
      readonly gap: "gap" | "reset";
    };

export interface TopicsConfig {
  readonly url: string;
  readonly prefix: string;
  readonly seed: number;
  readonly leaseMs: number;
  /** Longest run of a handler. */
  readonly runMs: number;
  /** Of each server. */
  readonly replicas: number;
}

export const TOPIC_NAME = "events";
export const PARTITIONS = 4;
/** Of an ordered subscription: so many messages of a partition may be delivered again when its owner changes. */
export const WINDOW = 200;
/** Of a shared one: so many messages the handlers of a consumer have, and so many a consumer has beside those. */
export const CONCURRENCY = 8;
export const PREFETCH = 16;
/** Of an ordered one, until a message that always fails is dead. */
export const ORDERED_DELIVERIES = 4;

const CONNECTION = { timeout: "4s", pingInterval: "500ms", pingTimeout: "1s" } as const;

export function openTopic({ url, prefix }: TopicsConfig): { readonly hf: Holdfast; readonly topic: Topic<Payload> } {
  // Not `connect`: it gives up where a process begins in the middle of a fault.
  const hf = holdfast(url, { ...CONNECTION, prefix });
  return { hf, topic: hf.topic<Payload>(TOPIC_NAME, { partitions: PARTITIONS }) };
}

/** A key in the slot of a partition. */
export function partitionKey(prefix: string, partition: number): string {
  return `${prefix}:topic:{${TOPIC_NAME}${partition === 0 ? "" : `%p${partition}`}}`;
}
