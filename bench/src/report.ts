/** Tables for people, lines of JSON for programs. */
import type { Comparison } from "./measure.ts";

const CASE_WIDTH = 76;

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
