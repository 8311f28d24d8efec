// Prints the benchmark table: node bench/bench.ts [--json FILE] [--only NAME]... Run it as root, on a
// machine that does nothing else. BENCH_ROUNDS and BENCH_SECONDS set the number of storms and their
// duration. The names are: storms, start, latency, kernel, idle, bytes, checkpoints, export, encoder, stages,
// environment, pods, node (if `make e2e` has built Kubernetes), forensics (with BENCH_VCML, a clone of
// vCML’s own project, also its auditor), and forensics-large. Only if they are named: soak (BENCH_SOAK_SECONDS), outage
// (BENCH_OUTAGE_SECONDS), crowd, which runs 100,000 processes at a time, store, which asks a
// ClickHouse (BENCH_STORE_MILLIONS; a store in BENCH_STORE_FOLDER stays, and is only asked if it is
// full), and store-insert, which inserts into one. These two need make build/clickhouse/server.
// And against, which compares this agent with that of another tree that is built (BENCH_AGAINST),
// and growth, which measures an exec at several rates (BENCH_SVG).
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Bed, createBed } from './bed/bed.ts';
import { LOOPS } from './bed/storm.ts';
import { figureRow } from './budgets.ts';
import { measureFigures } from './figures.ts';
import { machine } from './machine.ts';
import { runStorms } from './storms/storms.ts';
import { stormFigures, stormTable, summarize } from './storms/summary.ts';
import { table } from './table.ts';

/** Figures that take long or strain the machine; they are measured only when they are named. */
const ON_REQUEST = new Set([
  'soak',
  'outage',
  'crowd',
  'store',
  'store-insert',
  'against',
  'growth',
]);

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, only: { type: 'string', multiple: true } },
});
const bed = createBed();
try {
  await Promise.race([bench(bed), interruption()]);
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
} finally {
  await bed.cleanup.close();
}
// An interrupted benchmark may still wait for something.
process.exit();

async function bench(bed: Bed): Promise<void> {
  const where = machine();
  print(where);
  const runs = isWanted('storms') ? await runStorms(bed, report) : [];
  const summaries = summarize(runs);
  if (runs.length > 0) print(`${stormTitle(bed)}\n\n${stormTable(summaries)}`);
  const figures = [...stormFigures(summaries), ...(await measureFigures(bed, isWanted, report))];
  print(table([['what', 'measured', 'budget', 'verdict', 'more'], ...figures.map(figureRow)]));
  if (options.json !== undefined) {
    const all = { machine: where, rounds: bed.rounds, seconds: bed.seconds, summaries, figures };
    writeFileSync(options.json, `${JSON.stringify({ ...all, runs }, null, 2)}\n`);
  }
}

function isWanted(name: string): boolean {
  return options.only?.includes(name) ?? !ON_REQUEST.has(name);
}

function stormTitle({ rounds, seconds }: Bed): string {
  return `Storms of ${LOOPS} loops, ${seconds} s each, in ${rounds} rounds of alternating order; \
medians (min–max), maximum of memory`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n\n`);
}

/** Shows on stderr what is being measured. */
function report(text: string): void {
  process.stderr.write(`… ${text}\n`);
}

async function interruption(): Promise<never> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map(async (signal) => {
    await once(process, signal);
    return signal;
  });
  throw new Error(`${await Promise.race(signals)}: cleaning up`);
}
