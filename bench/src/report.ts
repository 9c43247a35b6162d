/** Tables for people, lines of JSON for programs. */
import type { Comparison } from "./measure.ts";
import type { ScaleRow } from "./queue/scale.ts";
import type { Row } from "./suite.ts";

const CASE_WIDTH = 76;

export function printMeasuredTitle(suite: string, serverVersion: string): void {
  const columns = [
    "ours",
    "peer's",
    "ratio",
    "CPU us",
    "peer's",
    "ratio",
    "server us",
    "peer's",
    "ratio",
    "bytes",
    "peer's",
    "ratio",
  ];
  console.log(`\n${suite} (Node ${process.version}, server ${serverVersion})`);
  console.log("case".padEnd(CASE_WIDTH) + columns.map((column) => column.padStart(10)).join(""));
}

export function printMeasuredRow(row: Row): void {
  const digits = row.unit === "ms" ? 3 : 0;
  const cells = [
    cell(row.ours, digits),
    cell(row.peer, digits),
    cell(row.ratio, 2),
    cell(row.oursCpuMicros, 1),
    cell(row.peerCpuMicros, 1),
    cell(row.cpuRatio, 3),
    cell(row.oursServerMicros, 1),
    cell(row.peerServerMicros, 1),
    cell(row.serverUsRatio, 3),
    cell(row.oursBytes, 0),
    cell(row.peerBytes, 0),
    cell(row.memoryRatio, 2),
  ];
  const name = `${row.case} (${row.unit}): ${row.peerName}`;
  console.log(name.padEnd(CASE_WIDTH) + cells.map((text) => text.padStart(10)).join(""));
}

export function printMeasuredJson(suite: string, row: Row): void {
  const figures = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === "number" ? rounded(value) : value,
  ]);
  console.log(JSON.stringify({ suite, ...Object.fromEntries(figures) }));
}

export function printScaleRow({ case: name, size, micros, smallMicros, ratio, slow }: ScaleRow): void {
  const cells = [String(size), cell(micros, 1), cell(smallMicros, 1), cell(ratio, 2)];
  console.log(name.padEnd(CASE_WIDTH) + cells.map((text) => text.padStart(10)).join(""));
  for (const { script, entries, medianMs, mostMs } of slow)
    console.log(`  slow: ${script}, ${entries} times, median ${cell(medianMs, 1)} ms, most ${cell(mostMs, 1)} ms`);
}

export function printTitle(suite: string, serverVersion: string): void {
  const columns = ["ours/s", "peer/s", "ratio", "CPU us", "peer us", "ratio", "server", "peer's"];
  console.log(`\n${suite} (Node ${process.version}, server ${serverVersion})`);
  console.log("case".padEnd(CASE_WIDTH) + columns.map((column) => column.padStart(9)).join(""));
}

export function printRow(name: string, { ours, peer, ratio, cpuRatio }: Comparison): void {
  const cells = [
    thousands(ours.perSecond),
    thousands(peer.perSecond),
    ratio.toFixed(2),
    ours.cpuMicros.toFixed(2),
    peer.cpuMicros.toFixed(2),
    cpuRatio.toFixed(2),
    percent(ours.server),
    percent(peer.server),
  ];
  console.log(name.padEnd(CASE_WIDTH) + cells.map((cell) => cell.padStart(9)).join(""));
}

export function printJson(suite: string, name: string, { ours, peer, ratio, cpuRatio }: Comparison): void {
  console.log(
    JSON.stringify({
      suite,
      case: name,
      ours: Math.round(ours.perSecond),
      peer: Math.round(peer.perSecond),
      ratio: rounded(ratio),
      cpuRatio: rounded(cpuRatio),
      oursCpuMicros: rounded(ours.cpuMicros),
      peerCpuMicros: rounded(peer.cpuMicros),
      oursServer: rounded(ours.server),
      peerServer: rounded(peer.server),
    }),
  );
}

function thousands(perSecond: number): string {
  return `${(perSecond / 1000).toFixed(1)}k`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Not every case has every figure. */
function cell(value: number | undefined, digits: number): string {
  return value === undefined ? "" : value.toFixed(digits);
}
