/** The thread of `findTruthAside`. */
import { parentPort, workerData } from "node:worker_threads";
import { findTruth } from "./truth.ts";

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(await findTruth(Number(workerData)));
