// What could go wrong, and the test for each:
// - a deep flow ends in a RangeError, a dense one takes for ever . "names each job once, however deep and dense"
// - a list that is changed later on makes a circle ............... "a list that is changed later on changes nothing"
// - a flow is larger than the server can be asked for ............ "refuses"
import { describe, expect, it } from "vitest";
import { checkChildren, QueueChild } from "./child.ts";
import { type Plan, planOf } from "./plan.ts";

const child = (children: readonly QueueChild[] = []): QueueChild =>
  new QueueChild({
    queue: "q",
    place: () => ({ index: 0, idHead: "" }),
    lane: 2,
    due: "",
    record: () => Buffer.alloc(0),
    policy: "f",
    children: checkChildren("children", children),
  });
const plan = (children: readonly QueueChild[]): Plan =>
  planOf("head", [{ queue: "q", partition: 0, id: "root" }], children);

describe("the plan of a flow", () => {
  it("names each job once, however deep and dense, those that wait first", () => {
    const chain = Array.from({ length: 10_000 }).reduce<QueueChild>((below) => child([below]), child());
    expect(() => plan([chain])).toThrow(/at most 10000 jobs/);
    const all: QueueChild[] = [];
    for (let at = 0; at < 300; at += 1) all.push(child([...all].toReversed()));
    for (const children of [all, all.toReversed(), all.slice(-1)]) {
      const { nodes } = plan(children);
      expect(nodes.map(({ level }) => level)).toEqual(Array.from({ length: 300 }, (_, at) => 299 - at));
      expect(new Set(nodes.map(({ id }) => id)).size).toBe(300);
      expect(nodes.at(-1)!.waiting).toHaveLength(children.length === 1 ? 299 : 300);
    }
  });

  it("a list that is changed later on changes nothing", () => {
    const list = [child()];
    const first = child(list);
    list.push(first);
    expect(plan([first]).nodes).toHaveLength(2);
  });

  it("refuses more than 100,000 times that one waits for another", () => {
    const below = Array.from({ length: 400 }, () => child());
    const above = Array.from({ length: 400 }, () => child(below));
    expect(() => plan(above)).toThrow(/children: expected at most 100000/);
  });
});
