/** Tables for people, lines of JSON for programs. */
import type { Comparison } from "./measure.ts";

export function printTitle(suite: string, serverVersion: string): void {
  console.log(`\n${suite} (Node ${process.version}, server ${serverVersion})`);
  console.log(
    `${"case".padEnd(72)} ${"ours/s".padStart(9)} ${"peer/s".padStart(9)} ${"ratio".padStart(6)}   CPU us  peer us  ratio`,
  );
}

export function printRow(name: string, { ours, peer, ratio, cpuRatio }: Comparison): void {
  const cells = [
    name.padEnd(72),
    thousands(ours.perSecond),
    thousands(peer.perSecond),
    ratio.toFixed(2).padStart(6),
    ours.cpuMicros.toFixed(2).padStart(8),
    peer.cpuMicros.toFixed(2).padStart(8),
    cpuRatio.toFixed(2).padStart(6),
  ];
  console.log(cells.join(" "));
}

export function printJson(suite: string, name: string, { ours, peer, ratio, cpuRatio }: Comparison): void {
  console.log(
    JSON.stringify({
      suite,
      case: name,
      ours: Math.round(ours.perSecond),
      peer: Math.round(peer.perSecond),
      ratio: round(ratio),
      cpuRatio: round(cpuRatio),
      oursCpuMicros: round(ours.cpuMicros),
      peerCpuMicros: round(peer.cpuMicros),
    }),
  );
}

function thousands(perSecond: number): string {
  return `${(perSecond / 1000).toFixed(1)}k`.padStart(9);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
