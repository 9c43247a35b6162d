/** Rows of what was measured in rounds, of us and one peer. */
import type { MeasuredFigures } from "./meter.ts";
import { median } from "./median.ts";
import type { Row } from "./suite.ts";

/** Of one figure, its pairs in the order of the rounds. */
export interface Pair {
  readonly ours: MeasuredFigures;
  readonly peer: MeasuredFigures;
}

export function rowOf(what: string, unit: Row["unit"], peerName: string, pairs: readonly Pair[]): Row {
  const typical = (side: keyof Pair, field: keyof MeasuredFigures): number | undefined => {
    const values = pairs.map((pair) => pair[side][field]).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const ratio = (field: keyof MeasuredFigures): number | undefined => {
    const ratios = pairs.flatMap(({ ours, peer }) =>
      ours[field] === undefined || peer[field] === undefined ? [] : [ours[field] / peer[field]],
    );
    return ratios.length === 0 ? undefined : median(ratios);
  };
  return {
    case: what,
    peerName,
    unit,
    ours: typical("ours", "value")!,
    peer: typical("peer", "value")!,
    ratio: ratio("value")!,
    cpuRatio: ratio("cpuMicros"),
    serverUsRatio: ratio("serverMicros"),
    scriptUsRatio: ratio("scriptMicros"),
    memoryRatio: ratio("bytes"),
    oursCpuMicros: typical("ours", "cpuMicros"),
    peerCpuMicros: typical("peer", "cpuMicros"),
    oursServerMicros: typical("ours", "serverMicros"),
    peerServerMicros: typical("peer", "serverMicros"),
    oursScriptMicros: typical("ours", "scriptMicros"),
    peerScriptMicros: typical("peer", "scriptMicros"),
    oursBytes: typical("ours", "bytes"),
    peerBytes: typical("peer", "bytes"),
  };
}
