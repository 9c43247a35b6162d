/** All families of commands. */
import { bitfieldCommands } from "./bitfields.ts";
import { bitmapCommands } from "./bitmaps.ts";
import { bitOperationCommands } from "./bitmaps-operation.ts";
import { clientCommands } from "./client.ts";
import { commandCommands } from "./command.ts";
import { configCommands } from "./config.ts";
import { connectionCommands } from "./connection.ts";
import { debugCommands } from "./debug.ts";
import { expiryCommands } from "./expiry.ts";
import { flushCommands } from "./flush.ts";
import { functionCommands } from "./functions.ts";
import { geoCommands } from "./geo.ts";
import { geoSearchCommands } from "./geo-search.ts";
import { hashCommands } from "./hashes.ts";
import { hashWalkCommands } from "./hashes-walk.ts";
import { hyperLogLogCommands } from "./hyperloglog.ts";
import { keyCommands } from "./keys.ts";
import { listCommands } from "./lists.ts";
import { listMoveCommands } from "./lists-move.ts";
import { listPopCommands } from "./lists-pop.ts";
import { listPositionCommands } from "./lists-pos.ts";
import { objectCommands } from "./object.ts";
import { pubSubCommands } from "./pubsub.ts";
import { type Command, CommandTable } from "../engine/command.ts";
import { renameCommands } from "./rename.ts";
import { scanCommands } from "./scan.ts";
import { scriptingCommands } from "./scripting.ts";
import { serverCommands } from "./server.ts";
import { setMemberCommands } from "./sets.ts";
import { setAlgebraCommands } from "./sets-algebra.ts";
import { setWalkCommands } from "./sets-walk.ts";
import { sortCommands } from "./sort.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { sortedSetAddCommands } from "./sorted-sets-add.ts";
import { sortedSetCombineCommands } from "./sorted-sets-combine.ts";
import { sortedSetPopCommands } from "./sorted-sets-pop.ts";
import { sortedSetRandomCommands } from "./sorted-sets-random.ts";
import { sortedSetRangeCommands } from "./sorted-sets-range.ts";
import { streamCommands } from "./streams.ts";
import { streamGroupCommands } from "./streams-groups.ts";
import { streamInfoCommands } from "./streams-info.ts";
import { streamPendingCommands } from "./streams-pending.ts";
import { streamReadCommands } from "./streams-read.ts";
import { stringCommands } from "./strings.ts";
import { lcsCommands } from "./strings-lcs.ts";
import { setCommands } from "./strings-set.ts";
import { transactionCommands } from "./transactions.ts";
import { unsupportedCommands } from "./unsupported.ts";

const families: readonly (readonly Command[])[] = [
  connectionCommands,
  clientCommands,
  serverCommands,
  configCommands,
  commandCommands,
  debugCommands,
  keyCommands,
  renameCommands,
  expiryCommands,
  scanCommands,
  flushCommands,
  objectCommands,
  sortCommands,
  stringCommands,
  setCommands,
  lcsCommands,
  bitmapCommands,
  bitOperationCommands,
  bitfieldCommands,
  hyperLogLogCommands,
  hashCommands,
  hashWalkCommands,
  setMemberCommands,
  setWalkCommands,
  setAlgebraCommands,
  streamCommands,
  streamReadCommands,
  streamGroupCommands,
  streamPendingCommands,
  streamInfoCommands,
  transactionCommands,
  scriptingCommands,
  functionCommands,
  pubSubCommands,
  unsupportedCommands,
  listCommands,
  listPositionCommands,
  listPopCommands,
  listMoveCommands,
  sortedSetCommands,
  sortedSetAddCommands,
  sortedSetRangeCommands,
  sortedSetPopCommands,
  sortedSetCombineCommands,
  sortedSetRandomCommands,
  geoCommands,
  geoSearchCommands,
];

/** What a server hands to its engine. */
export const commandTable: CommandTable = new CommandTable(families.flat());
