/**
 * Says at the end of a run how many tests passed on which backend, so that one that was never run is seen. A test
 * belongs to the backend whose name stands in brackets in its full name: `cache [cluster] > getOrSet ...`.
 * The last line is the sum of all: `N passed, N failed, N skipped`.
 */
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

const BACKENDS = ["standalone", "cluster", "sentinel", "tls", "embedded", "none"] as const;

/** vitest puts quotes around a string that comes into a title by `$name`. */
const IN_BRACKETS = /\[["']?(standalone|cluster|sentinel|tls|embedded)["']?\]/;

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

export default class BackendReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = new Map<string, Count>(BACKENDS.map((name) => [name, zero()]));
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      counts.get(IN_BRACKETS.exec(test.fullName)?.[1] ?? "none")![outcome(test)] += 1;
    }
    counts.get("none")!.failed += errors.length + brokenSuites(modules);
    for (const [name, count] of counts) console.log(`${name.padEnd(12)}${line(count)}`);
    console.log(`\n${line(sum([...counts.values()]))}`);
  }
}

/** A test that never came to run, as after `--bail`, is counted as skipped. */
function outcome(test: TestCase): keyof Count {
  const { state } = test.result();
  return state === "pending" ? "skipped" : state;
}

/** Files that do not load and hooks that throw fail a run without failing a test. */
function brokenSuites(modules: readonly TestModule[]): number {
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  return suites.filter((suite) => suite.errors().length > 0).length;
}

function zero(): Count {
  return { passed: 0, failed: 0, skipped: 0 };
}

function sum(counts: readonly Count[]): Count {
  return counts.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    zero(),
  );
}

function line({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
