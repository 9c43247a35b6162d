/** Everything that a server holds, as questions and answers that can be compared. */
import type { Line } from "./comparison.ts";
import { framesOf } from "./frames.ts";

export interface Answer {
  readonly db: number;
  readonly line: Line;
  readonly reply: string;
}

type Ask = (line: Line) => Promise<string>;

const DATABASES = [0, 1, 2];
const CONTENTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  string: [["GET"]],
  list: [["LRANGE", "0", "-1"]],
  set: [["SMEMBERS"]],
  zset: [["ZRANGE", "0", "-1", "WITHSCORES"]],
  hash: [["HGETALL"]],
  stream: [["XRANGE", "-", "+"]],
};

export async function endState(ask: Ask): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const db of DATABASES) {
    await ask(["SELECT", `${db}`]);
    const questions = [["KEYS", "*"], ["DBSIZE"]];
    const [keys = ""] = await put(db, questions, ask, answers);
    const names = bulkStrings(keys).sort();
    const types = await put(
      db,
      names.map((key) => ["TYPE", key]),
      ask,
      answers,
    );
    await put(
      db,
      names.flatMap((key, i) => questionsAbout(key, types[i]?.slice(1).trim() ?? "")),
      ask,
      answers,
    );
  }
  await ask(["SELECT", "0"]);
  return answers;
}

function questionsAbout(key: string, type: string): Line[] {
  const contents = (CONTENTS[type] ?? []).map(([name = "", ...rest]) => [name, key, ...rest]);
  const stream = type === "stream" ? [["XINFO", "STREAM", key, "FULL", "COUNT", "0"]] : [];
  return [["OBJECT", "ENCODING", key], ["PEXPIRETIME", key], ...contents, ...stream];
}

/** All at once; the replies. */
async function put(db: number, lines: readonly Line[], ask: Ask, answers: Answer[]): Promise<string[]> {
  const replies = await Promise.all(lines.map((line) => ask(line)));
  for (const [i, line] of lines.entries()) answers.push({ db, line, reply: replies[i] as string });
  return replies;
}

function bulkStrings(reply: string): string[] {
  return (framesOf(reply)[0]?.items ?? []).map(({ text }) => text.slice(text.indexOf("\r\n") + 2, -2));
}
