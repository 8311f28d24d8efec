import { type Profiler, Session } from 'node:inspector';

/** By script and offset in its source: what ran is 1. */
type Coverage = ReadonlyMap<string, Uint8Array>;

/** What of the code of all modules has run, by the blocks that V8 counts. */
export interface Reached {
  /** What ran since the last call. */
  take(): Coverage;
  /** Some of it was never learnt. */
  isNew(coverage: Coverage): boolean;
  learn(coverage: Coverage): void;
  close(): void;
}

/** Counts from now on, in modules that are loaded later, too. */
export function startCoverage(): Reached {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const known = new Map<string, Uint8Array>();
  return {
    take() {
      const coverage = new Map<string, Uint8Array>();
      // Within one thread the answer comes before post() returns.
      session.post('Profiler.takePreciseCoverage', (error, taken) => {
        if (error !== null) throw error;
        for (const { url, scriptId, functions } of taken.result)
          if (url.startsWith('file:')) coverage.set(scriptId, paint(functions));
      });
      return coverage;
    },
    isNew: (coverage) =>
      coverage.entries().some(([script, ran]) => {
        const before = known.get(script);
        return ran.some((byte, at) => byte === 1 && before?.[at] !== 1);
      }),
    learn(coverage) {
      for (const [script, ran] of coverage) known.set(script, union(known.get(script), ran));
    },
    close: () => session.disconnect(),
  };
}

/** Functions come before those that they enclose, and a function's blocks likewise. */
function paint(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  const blocks = functions.flatMap(({ ranges }) => ranges);
  const painted = new Uint8Array(Math.max(0, ...blocks.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of blocks)
    painted.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return painted;
}

function union(one: Uint8Array = new Uint8Array(), other: Uint8Array): Uint8Array {
  const both = new Uint8Array(Math.max(one.length, other.length));
  both.set(one);
  for (let at = 0; at < other.length; at++) if (other[at] === 1) both[at] = 1;
  return both;
}
