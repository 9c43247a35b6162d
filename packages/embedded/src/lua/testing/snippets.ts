/** One random Lua snippet for a seed: a script without keys and arguments that ends by itself and needs little memory. */
import { Dice } from "./dice.ts";
import { libraryCall } from "./snippet-libraries.ts";
import {
  brokenProgram,
  coroutineProgram,
  expressionProgram,
  metatableProgram,
  replyProgram,
  sortProgram,
  statementProgram,
  tableProgram,
} from "./snippet-programs.ts";

const MAKERS = [
  libraryCall,
  libraryCall,
  libraryCall,
  expressionProgram,
  expressionProgram,
  tableProgram,
  statementProgram,
  statementProgram,
  metatableProgram,
  coroutineProgram,
  brokenProgram,
  replyProgram,
  sortProgram,
];

export function snippetOf(seed: number): string {
  const dice = new Dice(seed);
  return dice.pick(MAKERS)(dice);
}
