import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { everyFrame } from '../../test/support/every-frame.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { countBytes, countLines, segments } from '../bed/journal.ts';
import { settle } from '../bed/process.ts';
import { storm } from '../bed/storm.ts';
import type { Figure } from '../budgets.ts';
import { generateJournal } from './generate-journal.ts';
import { compareWithReference } from './reference.ts';
import { measureReport } from './report.ts';
import { type Run, runVcml } from './run.ts';

const MILLION = 1_000_000;
const ROUNDS = 3;
const STORM_SECONDS = 10;

/** A journal to query. */
interface Journal {
  readonly path: string;
  readonly what: string;
  /** The id of a record at the end of a chain. */
  readonly last: string;
  /** Selects the records of a pod, from a time on. */
  readonly selection?: readonly string[];
}

const BUDGET = { audit: 2, chain: 0.8, query: 0.8, mebibytes: 600, rounds: ROUNDS };
/** What remains for a small journal is the start of Node and DuckDB. */
const SMALL = 1000;
const SMALL_BUDGET = { audit: 0.25, chain: 0.25, mebibytes: 600, rounds: ROUNDS };
/** The last tenth of the generated records is of this time. */
const SELECTION = ['--pod', 'shop/cart-7', '--since', '2026-11-23T04:57:05Z'];

/** Measures the reader with a million generated records, and against vCML's own auditor. */
export async function measureForensics(
  bed: Bed,
  report: (text: string) => void,
): Promise<Figure[]> {
  const small = await generate(bed, 'small', SMALL, true);
  const starts = await figuresOf(small, SMALL_BUDGET, report);
  const generated = { ...(await generate(bed, 'generated', MILLION, true)), selection: SELECTION };
  const figures = [...starts, ...(await figuresOf(generated, BUDGET, report))];
  figures.push(await measureReport(bed, generated.path));
  rmSync(generated.path, { recursive: true });
  return [...figures, ...(await compareWithReference(bed, report))];
}

/** Measures the reader with a million execs that the agent has recorded. */
export async function measureForensicsRecorded(
  bed: Bed,
  report: (text: string) => void,
  least = MILLION,
): Promise<Figure[]> {
  const { journal, close } = await record(bed, least);
  const figures = await figuresOf(journal, BUDGET, report);
  await close();
  return figures;
}

/** Measures the reader with ten million records in closed segments. */
export async function measureForensicsLarge(
  bed: Bed,
  report: (text: string) => void,
): Promise<Figure[]> {
  report('generating ten million records');
  const journal = await generate(bed, 'ten-million', 10 * MILLION, true);
  return figuresOf(journal, { mebibytes: 3072, rounds: 1 }, report);
}

interface Budget {
  readonly audit?: number;
  readonly chain?: number;
  readonly query?: number;
  readonly mebibytes: number;
  readonly rounds: number;
}

/** Returns the best time and the peak memory of all rounds. */
async function figuresOf(
  { path, what, last, selection }: Journal,
  budget: Budget,
  report: (text: string) => void,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const commands = {
    audit: [path],
    chain: [last, path],
    ...(selection === undefined ? {} : { query: [...selection, path] }),
  };
  for (const [name, args] of Object.entries(commands)) {
    report(`vcml ${name}, ${what}`);
    const runs: Run[] = [];
    for (let round = 0; round < budget.rounds; round++) runs.push(await runVcml([name, ...args]));
    const seconds = budget[name as 'audit' | 'chain' | 'query'];
    figures.push({
      what: `vcml ${name}, ${what}`,
      value: Math.min(...runs.map((run) => run.seconds)),
      unit: 's',
      digits: 2,
      more: `the best of ${budget.rounds}`,
      ...(seconds === undefined ? {} : { budget: seconds }),
    });
    figures.push({
      what: `vcml ${name}, ${what}: memory`,
      value: Math.max(...runs.map(({ mebibytes }) => mebibytes)),
      unit: 'MiB',
      digits: 0,
      budget: budget.mebibytes,
      more: 'VmHWM',
    });
  }
  return figures;
}

async function generate(
  bed: Bed,
  name: string,
  records: number,
  compressed = false,
): Promise<Journal> {
  const path = join(bed.directory, name);
  const { bytes, last } = await generateJournal(path, records, compressed);
  const size = `${(bytes / 1e9).toFixed(1)} GB${compressed ? ' before zstd' : ''}`;
  const count = records < MILLION ? `${records}` : `${records / MILLION} M`;
  return { path, last, what: `${count} generated records (${size})` };
}

/** Runs storms until the bundled agent has so many records; close() removes them. */
async function record(bed: Bed, least: number) {
  const { agent, close } = await startedAgent(bed, '--journal-max-bytes', '64GiB');
  let execs = 0;
  while (execs < least) execs += await storm(bed, STORM_SECONDS);
  await settle(agent.pid);
  await agent.stop();
  const path = agent.journalDir;
  const records = await countLines(path, '"id":');
  const segment = segments(path).at(-1) ?? '';
  const bytes = readFileSync(segment);
  const text = `${segment.endsWith('.zst') ? everyFrame(bytes) : bytes}`;
  const line = text.split('\n').findLast((one) => one.includes(`"object":"${bed.noop}"`)) ?? '';
  const last = /^\{"id":"([^"]+)"/.exec(line)?.[1] ?? '';
  const size = `${((await countBytes(path)) / 1e9).toFixed(1)} GB before zstd`;
  const what = `${(records / MILLION).toFixed(2)} M recorded execs (${size})`;
  const journal = { path, last, what };
  return { journal, close };
}
